// What the five panels share: tabs, rows upon rules, search. The rule under a row is its bar.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { report, type Row, type Rows } from './api.ts';
import type { Frame } from './dashboard.tsx';
import { useReport } from './data.ts';
import { compact, duration, exact, NONE, percent } from './format.ts';
import { go, linkTo } from './navigate.ts';
import type { PanelId } from './state.ts';
import { Icon, lazy, Problem } from './ui.tsx';

const Details = lazy(() => import('./details.tsx').then((part) => part.Details));
const ROWS = 10;

export interface Column { label: string; of: (row: Row) => number | null | undefined; show: (value: number) => string; full?: (value: number) => string }
export interface Tab {
  id: string;
  label: string;
  /** What a row is, over the names; the label if absent. */
  head?: string;
  /** The report with its kind, such as `sources?kind=channel`. */
  report: string;
  /** Tabs of one group share a tab button; the column head chooses among them. */
  group?: string;
  /** Beside visitors and share. The first is shown in the panel, all of them in the details. */
  columns: Column[];
  name: (row: Row) => string;
  cell?: (row: Row) => ComponentChildren;
  empty?: string;
}
export interface PanelProps { id: PanelId; title: string; tabs: [Tab, ...Tab[]]; frame: Frame; head?: ComponentChildren; foot?: ComponentChildren }

const per = (part?: number, whole?: number) => (part === undefined || !whole ? null : part / whole);
export const VIEWS: Column = { label: 'Views', of: (row) => row.views, show: compact, full: exact };
export const VISITS: Column = { label: 'Visits', of: (row) => row.visits, show: compact, full: exact };
export const COUNT: Column = { label: 'Count', of: (row) => row.count, show: compact, full: exact };
export const BOUNCE: Column = { label: 'Bounce', of: (row) => per(row.bounces, row.visits), show: percent };
export const DURATION: Column = { label: 'Duration', of: (row) => per(row.duration_ms, row.visits), show: duration };
export const ENGAGED: Column = { label: 'Time', of: (row) => per(row.engaged_ms, row.views), show: duration };
export const SCROLL: Column = { label: 'Scroll', of: (row) => row.scroll, show: (value) => percent(value / 100) };
export const VISIT_COLUMNS = [VISITS, VIEWS, BOUNCE, DURATION];

export const openTab = ({ id, tabs, frame }: PanelProps): Tab => tabs.find((tab) => tab.id === frame.view.tabs[id]) ?? tabs[0];
const groupOf = (tab: Tab) => tab.group ?? tab.label;

function tabTo(id: PanelId, tabs: Tab[], tab: Tab, frame: Frame) {
  const { [id]: _tab, ...others } = frame.view.tabs;
  const { [id]: _search, ...search } = frame.view.search;
  return { tabs: tab === tabs[0] ? others : { ...others, [id]: tab.id }, search, page: 1, ...(id === 'events' ? { event: null } : {}) };
}

function Tabs({ id, title, tabs, frame, open }: PanelProps & { open: Tab }) {
  const heads = tabs.filter((tab, index) => tabs.findIndex((other) => groupOf(other) === groupOf(tab)) === index);
  const list = useRef<HTMLDivElement>(null);
  if (heads.length < 2) return null;
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = heads.findIndex((tab) => groupOf(tab) === groupOf(open));
    const next = heads[(at + step + heads.length) % heads.length];
    if (next) go(tabTo(id, tabs, next, frame), true);
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[(at + step + heads.length) % heads.length]?.focus();
  };
  return (
    <div ref={list} class="tabs" role="tablist" aria-label={title} onKeyDown={onKeyDown}>
      {heads.map((tab) => {
        const isOpen = groupOf(tab) === groupOf(open);
        return <a key={tab.id} role="tab" aria-selected={isOpen} aria-controls={`${id}-rows`} tabIndex={isOpen ? 0 : -1} {...linkTo(tabTo(id, tabs, tab, frame))}>{groupOf(tab)}</a>;
      })}
    </div>
  );
}

/** A search that goes into the URL when typing pauses. */
export function Search({ id, frame, isOpen = true }: { id: PanelId; frame: Frame; isOpen?: boolean }) {
  const timer = useRef(0);
  const onInput = (text: string) => {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => go({ search: { ...frame.view.search, [id]: text.trim() }, page: 1 }, true), 250);
  };
  return <input type="search" class="search" placeholder="Contains…" aria-label={`Search in ${id}`} autofocus={isOpen} defaultValue={frame.view.search[id] ?? ''} onInput={(event) => onInput(event.currentTarget.value)} />;
}

export function Panel(props: PanelProps) {
  const { id, title, tabs, frame } = props;
  const open = openTab(props);
  const wanted = frame.view.search[id] ?? '';
  const [isSearching, setSearching] = useState(wanted !== '');
  const variants = tabs.filter((tab) => groupOf(tab) === groupOf(open));
  useEffect(() => setSearching(wanted !== ''), [open.id]);
  const onSearch = () => {
    if (isSearching && wanted) go({ search: { ...frame.view.search, [id]: '' } }, true);
    setSearching(!isSearching);
  };
  return (
    <section class={`sheet panel ${id}`} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        <Tabs {...props} open={open} />
        <button type="button" class="button plain" aria-label={`Search in ${id}`} aria-expanded={isSearching} onClick={onSearch}><Icon name={isSearching ? 'close' : 'search'} /></button>
      </header>
      {isSearching && <Search id={id} frame={frame} />}
      {props.head}
      <div id={`${id}-rows`} role={tabs.length > 1 ? 'tabpanel' : undefined} aria-label={open.label}>
        <Listed key={open.report} {...props} open={open} variants={variants} />
      </div>
      {frame.view.details === id && <Details {...props} />}
    </section>
  );
}

function Listed(props: PanelProps & { open: Tab; variants: Tab[] }) {
  const { id, frame, open, tabs, variants } = props;
  const { site, span, generation, view } = frame;
  const { data, error, isStale, retry } = useReport<Rows>(report(site.id, open.report, { ...span, limit: ROWS, search: view.search[id] ?? '' }), generation);
  const head = variants.length < 2 ? open.head ?? open.label : (
    <select aria-label={`${groupOf(open)}: choose`} value={open.id} onChange={(event) => {
      const chosen = variants.find((tab) => tab.id === event.currentTarget.value);
      if (chosen) go(tabTo(id, tabs, chosen, frame));
    }}>{variants.map((tab) => <option key={tab.id} value={tab.id}>{tab.label}</option>)}</select>
  );
  return (
    <div class={isStale && data ? 'stale' : ''} aria-busy={isStale}>
      <Table {...{ frame, head, tab: open, rows: data?.rows ?? null, columns: open.columns.slice(0, 1), isFull: false }}>
        {error && !data ? <Problem error={error} retry={retry} /> : data?.rows.length === 0 && <Nothing tab={open} wanted={view.search[id] ?? ''} />}
      </Table>
      <p class="under">
        {data && data.total > 0 && <a {...linkTo({ details: id, page: 1 })}>Details<span class="unseen"> of {props.title.toLowerCase()}</span></a>}
        {data && data.total > ROWS && <span>{ROWS} of {exact(data.total)}</span>}
        {props.foot}
      </p>
    </div>
  );
}

export const Nothing = ({ tab, wanted }: { tab: Tab; wanted: string }) => (
  <p class="nothing">{wanted ? <>Nothing contains “{wanted}”.</> : tab.empty ?? 'No hits in this period.'}</p>
);

/** Rows with their bars; null rows are still loading. What there is instead of rows comes as children. */
export function Table(props: { frame: Frame; head: ComponentChildren; tab: Tab; rows: Row[] | null; columns: Column[]; isFull: boolean; children?: ComponentChildren }) {
  const { frame, tab, rows, columns, isFull } = props;
  const most = Math.max(1, ...(rows ?? []).map(({ visitors }) => visitors));
  const number = (row: Row, { of, show, full, label }: Column) => {
    const value = of(row);
    return <td key={label} title={value == null || !full ? undefined : full(value)}>{value == null ? NONE : show(value)}</td>;
  };
  const main = (row: Row) => (
    <>
      <td class="main" title={exact(row.visitors)}>{compact(row.visitors)}</td>
      <td class="share">{frame.visitors ? percent(row.visitors / frame.visitors) : ''}</td>
    </>
  );
  const mainHeads = <><th scope="col" class="main">Visitors</th><th scope="col" class="share" title="Share of all visitors">%</th></>;
  const heads = columns.map(({ label }) => <th key={label} scope="col">{label}</th>);
  // In full there may be more columns than fit a phone: there the visitors come first.
  return (
    <div class="rows">
      <table>
        <thead><tr><th scope="col">{props.head}</th>{isFull ? <>{mainHeads}{heads}</> : <>{heads}{mainHeads}</>}</tr></thead>
        <tbody>
          {rows?.map((row, index) => (
            <tr key={`${index} ${row.name} ${row.value}`} style={{ '--bar': `${(row.visitors / most) * 100}%` }}>
              <th scope="row"><span class="name" title={tab.name(row)}>{tab.cell ? tab.cell(row) : tab.name(row)}</span></th>
              {isFull && main(row)}
              {columns.map((column) => number(row, column))}
              {!isFull && main(row)}
            </tr>
          ))}
          {!rows && !props.children && Array.from({ length: ROWS }, (_, index) => (
            <tr key={index} class="waiting"><th scope="row"><span class="bone" style={{ width: `${62 - index * 4}%` }} /></th><td colSpan={columns.length + 2} /></tr>
          ))}
        </tbody>
      </table>
      {props.children}
    </div>
  );
}
