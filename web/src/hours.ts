// Dates of a site and the ranges made of them. A day is text, `2026-11-22`, in the site's zone; a range is half-open.
import type { Interval } from './api.ts';

export type Day = string;
export interface Span { from: Day; until: Day }
export const PRESETS = ['today', 'yesterday', '7d', '28d', '30d', '91d', 'month', 'last-month', '12m'] as const;
export type Preset = (typeof PRESETS)[number];
/** What the URL holds: a moving range by name, or a fixed one. */
export type Range = Preset | Span;

const DAY_MS = 86_400_000;
const utc = (day: Day) => Date.parse(`${day}T00:00:00Z`);
const text = (ms: number): Day => new Date(ms).toISOString().slice(0, 10);

/** True for a date of the calendar in the form `2026-11-22`. */
export const isDay = (value: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(utc(value)) && text(utc(value)) === value;

export const addDays = (day: Day, days: number): Day => text(utc(day) + days * DAY_MS);
export const daysIn = ({ from, until }: Span): number => Math.round((utc(until) - utc(from)) / DAY_MS);
export const monthStart = (day: Day): Day => `${day.slice(0, 7)}-01`;
/** The first day of the month `months` later. */
export function addMonths(day: Day, months: number): Day {
  const date = new Date(utc(monthStart(day)));
  date.setUTCMonth(date.getUTCMonth() + months);
  return text(date.getTime());
}

/** The days that a range means when it is `today`. */
export function spanOf(range: Range, today: Day): Span {
  if (typeof range !== 'string') return range;
  const tomorrow = addDays(today, 1);
  switch (range) {
    case 'today': return { from: today, until: tomorrow };
    case 'yesterday': return { from: addDays(today, -1), until: today };
    case 'month': return { from: monthStart(today), until: tomorrow };
    case 'last-month': return { from: addMonths(today, -1), until: monthStart(today) };
    case '12m': return { from: addMonths(today, -11), until: tomorrow };
    default: return { from: addDays(tomorrow, -Number.parseInt(range, 10)), until: tomorrow };
  }
}

/** The preset that means these days now, or the days themselves. */
export function nameOf(span: Span, today: Day): Range {
  return PRESETS.find((preset) => {
    const { from, until } = spanOf(preset, today);
    return from === span.from && until === span.until;
  }) ?? span;
}

/** Whole calendar months in a span that starts with a month and ends with one (or today); else 0. */
function wholeMonths({ from, until }: Span, today: Day): number {
  const end = until === addDays(today, 1) && from.slice(8) === '01' ? addMonths(addDays(until, -1), 1) : until;
  if (from.slice(8) !== '01' || end.slice(8) !== '01') return 0;
  const months = (day: Day) => Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7));
  return months(end) - months(from);
}

/** The period before (-1) or after (1), of the same length and by months if it is made of months. Null past today. */
export function shift(range: Range, today: Day, step: -1 | 1): Range | null {
  const span = spanOf(range, today);
  const tomorrow = addDays(today, 1);
  const isOneDay = daysIn(span) === 1;
  const months = isOneDay ? 0 : wholeMonths(span, today);
  const days = daysIn(span);
  let next: Span = months
    ? { from: addMonths(span.from, step * months), until: addMonths(span.from, step * months + months) }
    : { from: addDays(span.from, step * days), until: addDays(span.until, step * days) };
  if (next.until > tomorrow) {
    next = { from: months ? next.from : addDays(tomorrow, -days), until: tomorrow };
    if (next.from >= tomorrow || next.from <= span.from) return null;
  }
  return nameOf(next, today);
}

/** The steps that make sense for so many days; hours are answered for at most 31 days. */
export function intervalsFor(days: number): Interval[] {
  const fits: Record<Interval, boolean> = { hour: days <= 31, day: days > 1 && days <= 800, week: days >= 14, month: days >= 59 };
  return (Object.keys(fits) as Interval[]).filter((interval) => fits[interval]);
}

export const defaultInterval = (days: number): Interval =>
  days <= 2 ? 'hour' : days <= 120 ? 'day' : days <= 300 ? 'week' : 'month';

/** The day after the step that starts at `day`; weeks start on Monday. */
export function stepEnd(day: Day, interval: Interval): Day {
  if (interval === 'month') return addMonths(day, 1);
  if (interval !== 'week') return addDays(day, 1);
  const sinceMonday = (new Date(utc(day)).getUTCDay() + 6) % 7;
  return addDays(day, 7 - sinceMonday);
}

/** The next full hour after `now`, in milliseconds. Hours are closed by UTC, in half-hour zones too. */
export const nextHour = (nowMs: number): number => (Math.floor(nowMs / 3_600_000) + 1) * 3_600_000;
