// The contract of docs/api.md as types, and the one function that calls it.

export interface Site { id: number; domain: string; timezone: string; role: string; demo: boolean }
export interface Me { user: { id: number; email: string; owner: boolean }; csrf: string; sites: Site[] }
export interface Status {
  as_of: string; epoch: number; today: string; first_day: string | null; last_event_at: string | null;
  timezone: string; demo: boolean;
}
/** Sums over a range or a step; rates are formed by the reader. */
export interface Sums { visitors: number; visits: number; views: number; events: number; bounces: number; duration_ms: number }
export interface Totals { as_of: string; from: string; until: string; totals: Sums; previous: Sums | null }
export const INTERVALS = ['hour', 'day', 'week', 'month'] as const;
export type Interval = (typeof INTERVALS)[number];
/** `t` is a local date, or for hours a local time with its offset. */
export interface Point extends Sums { t: string }
export interface Timeseries { as_of: string; interval: Interval; points: Point[] }
export interface Money { currency: string; milli: number }
export interface Row {
  name: string; visitors: number; views?: number; visits?: number; bounces?: number; duration_ms?: number;
  engaged_ms?: number; scroll?: number | null; count?: number; country?: string; region?: string; version?: string;
  key?: string; value?: string; revenue?: Money[];
}
export interface Rows { as_of: string; from: string; until: string; total: number; rows: Row[] }

/** A refusal in the API's own words, or status 0 when the server was not reached. */
export class ApiError extends Error {
  constructor(readonly status: number, message: string, readonly field = '', readonly retryAfterSeconds = 10) {
    super(message);
  }
}

let csrf = '';

/** Asks the API: a GET, or a POST when there is a body. Throws only [`ApiError`]. */
export async function call<T>(path: string, body?: object): Promise<T> {
  let reply: Response;
  try {
    reply = await fetch(path, body === undefined ? {} : {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-csrf-token': csrf },
      body: JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, 'The server did not answer. Check that Tallyhouse is running and that you are online.');
  }
  const answer = await reply.json().catch(() => null);
  if (reply.ok) return answer as T;
  const { message, field } = (answer ?? {}) as { message?: string; field?: string };
  throw new ApiError(reply.status, message ?? `The server answered ${reply.status}.`, field,
    Number(reply.headers.get('retry-after')) || 10);
}

/** Calls something that answers who is signed in, and keeps the token that changes need. */
export async function identify(path: string, body?: object): Promise<Me> {
  const me = await call<Me>(path, body);
  csrf = me.csrf;
  return me;
}

/** The address of a report of one site. */
export function report(site: number, name: string, query: Record<string, string | number>): string {
  const text = Object.entries(query).filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&');
  return `/api/sites/${site}/${name}${text && (name.includes('?') ? '&' : '?')}${text}`;
}
