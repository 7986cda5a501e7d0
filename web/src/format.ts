// Numbers, times and names as the screens show them. Pure; the words are English, so are these.
import type { Interval, Sums } from './api.ts';
import { addDays, type Day, PRESETS, type Preset, type Range, spanOf, type Span, stepEnd } from './hours.ts';

const LOCALE = 'en-GB';
const grouped = new Intl.NumberFormat('en');
const compactForm = new Intl.NumberFormat('en', { notation: 'compact', minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const MINUS = '\u2212';
export const NONE = '\u2013';

export const exact = (value: number): string => grouped.format(value);
/** Short enough for a column: in full below ten thousand, then three digits and a letter. */
export const compact = (value: number): string =>
  Math.abs(value) < 10_000 ? exact(Math.round(value)) : compactForm.format(value);

export function percent(ratio: number): string {
  const value = ratio * 100;
  return value === 0 ? '0%' : value < 0.1 ? '<0.1%' : `${value < 9.95 ? value.toFixed(1) : Math.round(value)}%`;
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${seconds}s`;
  const two = (value: number) => String(value).padStart(2, '0');
  return minutes < 60 ? `${minutes}m ${two(seconds % 60)}s` : `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
}

// Metrics

export const METRICS = ['visitors', 'visits', 'views', 'depth', 'bounce', 'duration'] as const;
export type Metric = (typeof METRICS)[number];
export interface Measure {
  label: string;
  hint: string;
  of: (sums: Sums) => number | null;
  show: (value: number) => string;
  /** In full, for titles. */
  full: (value: number) => string;
  lowerIsBetter?: true;
}
const rate = (part: number, whole: number) => (whole > 0 ? part / whole : null);
const onePlace = (value: number) => value.toFixed(value < 10 ? 2 : 1);

export const MEASURES: Record<Metric, Measure> = {
  visitors: { label: 'Visitors', hint: 'Different visitors a day. The identity changes every day, so days add up.', of: (s) => s.visitors, show: compact, full: exact },
  visits: { label: 'Visits', hint: 'A visit ends after 30 minutes without a hit.', of: (s) => s.visits, show: compact, full: exact },
  views: { label: 'Page views', hint: 'Pages shown, reloads included.', of: (s) => s.views, show: compact, full: exact },
  depth: { label: 'Views per visit', hint: 'Page views divided by visits.', of: (s) => rate(s.views, s.visits), show: onePlace, full: (v) => v.toFixed(4) },
  bounce: { label: 'Bounce rate', hint: 'Visits with one page view and nothing else.', of: (s) => rate(s.bounces, s.visits), show: percent, full: (v) => `${(v * 100).toFixed(2)}%`, lowerIsBetter: true },
  duration: { label: 'Visit duration', hint: 'From the first hit of a visit to its last, on average.', of: (s) => rate(s.duration_ms, s.visits), show: duration, full: (v) => `${(v / 1000).toFixed(1)} s` },
};

export interface Change { text: string; tone: 'good' | 'bad' | 'flat'; isDown: boolean }

/** The change against the period before; no number can be given when that was nothing. */
export function change(metric: Metric, now: number | null, before: number | null): Change {
  if (now === null || before === null || before === 0) return { text: NONE, tone: 'flat', isDown: false };
  const isPoints = metric === 'bounce';
  const value = isPoints ? (now - before) * 100 : ((now - before) / before) * 100;
  const size = Math.abs(value);
  const digits = size < 9.95 ? size.toFixed(1) : grouped.format(Math.round(size));
  if (Number(size.toFixed(1)) === 0) return { text: isPoints ? '0 pp' : '0%', tone: 'flat', isDown: false };
  const isGood = value > 0 !== Boolean(MEASURES[metric].lowerIsBetter);
  return { text: `${value > 0 ? '+' : MINUS}${digits}${isPoints ? ' pp' : '%'}`, tone: isGood ? 'good' : 'bad', isDown: value < 0 };
}

// Dates

const dayForm = (options: Intl.DateTimeFormatOptions) => {
  const form = new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: 'UTC' });
  return (day: Day) => form.format(new Date(`${day}T00:00:00Z`)).replace('Sept', 'Sep');
};
export const dayShort = dayForm({ day: 'numeric', month: 'short' });
const dayFull = dayForm({ day: 'numeric', month: 'short', year: 'numeric' });
const dayLong = dayForm({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
const monthShort = dayForm({ month: 'short' });
const monthLong = dayForm({ month: 'long', year: 'numeric' });

/** `1–28 Nov 2026`, as short as it can be read. */
export function spanText({ from, until }: Span): string {
  const last = addDays(until, -1);
  if (from === last) return dayLong(from);
  if (from.slice(0, 7) === last.slice(0, 7)) return `${Number(from.slice(8))}\u2013${dayFull(last)}`;
  return `${from.slice(0, 4) === last.slice(0, 4) ? dayShort(from) : dayFull(from)} \u2013 ${dayFull(last)}`;
}

const PRESET_NAMES: Record<Preset, string> = {
  today: 'Today', yesterday: 'Yesterday', '7d': 'Last 7 days', '28d': 'Last 28 days', '30d': 'Last 30 days',
  '91d': 'Last 91 days', month: 'This month', 'last-month': 'Last month', '12m': 'Last 12 months',
};
export const rangeName = (range: Range): string => (typeof range === 'string' ? PRESET_NAMES[range] : spanText(range));
/** Letters that choose a range, in the order of the menu. */
export const RANGE_KEYS: Record<Preset, string> = {
  today: 't', yesterday: 'y', '7d': 'w', '28d': 'f', '30d': 'r', '91d': 'q', month: 'm', 'last-month': 'l', '12m': 'a',
};
export const rangeMenu = (today: Day) => PRESETS.map((preset) =>
  ({ preset, name: PRESET_NAMES[preset], key: RANGE_KEYS[preset], days: spanText(spanOf(preset, today)) }));

/** The local date of a moment in a zone. */
export const localDay = (time: string, zone: string): Day =>
  new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(time));

/** `14:00 CET`, or with the date in front when that is not `today`. English names zones differently by country. */
export function moment(time: string, zone: string, today: Day): string {
  const date = new Date(time);
  const clock = new Intl.DateTimeFormat(LOCALE, { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(date);
  const names = ['en-GB', 'en-US', 'en-AU', 'en-IN'].map((locale) =>
    new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'short' }).formatToParts(date)
      .find((part) => part.type === 'timeZoneName')?.value ?? 'UTC');
  const name = names.find((candidate) => !/^GMT[+-]/.test(candidate)) ?? names[0];
  const day = localDay(time, zone);
  return `${day === today ? '' : `${dayShort(day)}, `}${clock} ${name}`;
}

/** A step of the chart in full: `Sun, 22 Nov 2026, 13:00–14:00`, `16–22 Nov 2026`, `November 2026`. */
export function stepName(t: string, interval: Interval, span: Span): string {
  const day = t.slice(0, 10);
  if (interval === 'hour') {
    const hour = Number(t.slice(11, 13));
    const minute = t.slice(14, 16);
    return `${dayLong(day)}, ${t.slice(11, 16)}\u2013${String((hour + 1) % 24).padStart(2, '0')}:${minute}`;
  }
  if (interval === 'day') return dayLong(day);
  const end = stepEnd(day, interval);
  const shown = { from: day < span.from ? span.from : day, until: end > span.until ? span.until : end };
  const isWhole = interval === 'month' && shown.from === day && day.endsWith('01') && shown.until === end;
  return isWhole ? monthLong(day) : spanText(shown);
}

/** A step under the axis. */
export function stepTick(t: string, interval: Interval, isOneDay: boolean): string {
  if (interval === 'month') return t.slice(5, 7) === '01' ? t.slice(0, 4) : monthShort(t.slice(0, 10));
  return interval === 'hour' && isOneDay ? t.slice(11, 16) : dayShort(t.slice(0, 10));
}
