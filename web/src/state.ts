// The URL is the state: what is shown is a function of it, and every choice is a link.
import { INTERVALS, type Interval } from './api.ts';
import { METRICS, type Metric } from './format.ts';
import { isDay, PRESETS, type Preset, type Range } from './hours.ts';

export const PANELS = ['pages', 'sources', 'places', 'devices', 'events'] as const;
export type PanelId = (typeof PANELS)[number];
export const DIALOGS = ['help', 'add', 'snippet'] as const;
export type Dialog = (typeof DIALOGS)[number];

export interface View {
  /** The domain of the site; empty for the first one. */
  site: string;
  range: Range;
  metric: Metric;
  /** The chart's step; null for the one that suits the range. */
  by: Interval | null;
  /** The open tab of a panel; absent for its first. */
  tabs: Partial<Record<PanelId, string>>;
  search: Partial<Record<PanelId, string>>;
  /** The event whose properties are shown. */
  event: string | null;
  /** The panel shown in full, and its page from 1. */
  details: PanelId | null;
  page: number;
  table: boolean;
  dialog: Dialog | null;
}

const DEFAULT_RANGE: Preset = '28d';
const member = <T extends string>(list: readonly T[], value: string | null): T | null =>
  list.find((candidate) => candidate === value) ?? null;

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Reads a path and query. What is not understood falls back to the default, so an old link still opens. */
export function parse(path: string, query: string): View {
  const params = new URLSearchParams(query);
  const from = params.get('from') ?? '';
  const until = params.get('until') ?? '';
  const isFixed = isDay(from) && isDay(until) && from < until;
  const tabs: View['tabs'] = {};
  const search: View['search'] = {};
  for (const panel of PANELS) {
    const tab = params.get(panel);
    const wanted = params.get(`${panel}.search`);
    if (tab) tabs[panel] = tab;
    if (wanted) search[panel] = wanted;
  }
  return {
    site: decode(path.replace(/^\/+|\/+$/g, '')),
    range: isFixed ? { from, until } : member(PRESETS, params.get('range')) ?? DEFAULT_RANGE,
    metric: member(METRICS, params.get('metric')) ?? 'visitors',
    by: member(INTERVALS, params.get('by')),
    tabs,
    search,
    event: params.get('event'),
    details: member(PANELS, params.get('details')),
    page: Math.max(1, Number.parseInt(params.get('page') ?? '1', 10) || 1),
    table: params.get('as') === 'table',
    dialog: member(DIALOGS, params.get('open')),
  };
}

/** The shortest address that [`parse`] reads as this view. */
export function format(view: View): string {
  const params = new URLSearchParams();
  const set = (key: string, value: string | null | undefined | false) => value && params.set(key, value);
  if (typeof view.range !== 'string') {
    set('from', view.range.from);
    set('until', view.range.until);
  } else if (view.range !== DEFAULT_RANGE) set('range', view.range);
  set('metric', view.metric !== 'visitors' && view.metric);
  set('by', view.by);
  set('as', view.table && 'table');
  for (const panel of PANELS) {
    set(panel, view.tabs[panel]);
    set(`${panel}.search`, view.search[panel]);
  }
  set('event', view.event);
  set('details', view.details);
  set('page', view.details && view.page > 1 && String(view.page));
  set('open', view.dialog);
  const query = params.toString();
  return `/${encodeURIComponent(view.site).replaceAll('%3A', ':')}${query && `?${query}`}`;
}
