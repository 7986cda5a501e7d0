// Ninety days of a site that could be real: weeks, nights, slow growth, one busy day, and the day the clocks changed.
// Answers have the shapes of docs/api.md; these figures are for looking at screens and prove nothing about the daemon.
import type { Interval, Me, Point, Row, Rows, Status, Sums, Timeseries, Totals } from '../../src/api.ts';
import { addDays, type Day, monthStart, type Span } from '../../src/hours.ts';

export const ZONE = 'Europe/Berlin';
export const AS_OF = '2026-11-22T13:00:00Z';
export const TODAY = '2026-11-22';
export const FIRST_DAY = '2026-08-24';
const HOUR_MS = 3_600_000;
const BUSY_DAY = '2026-10-14';

/** The same numbers every time. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface LocalHour extends Sums { day: Day; t: string }
const localForm = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, dateStyle: 'short', timeStyle: 'medium' });

function course(): LocalHour[] {
  const next = random(7);
  const hours: LocalHour[] = [];
  for (let ms = Date.parse('2026-08-23T22:00:00Z'); ms < Date.parse(AS_OF); ms += HOUR_MS) {
    const local = localForm.format(ms).replace(' ', 'T');
    const day = local.slice(0, 10);
    const hour = Number(local.slice(11, 13));
    const offset = Math.round((Date.parse(`${local}Z`) - ms) / HOUR_MS);
    const age = (ms - Date.parse('2026-08-24')) / 86_400_000;
    const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
    const awake = 0.12 + Math.max(0, Math.sin(((hour - 6.5) / 17) * Math.PI)) ** 1.3;
    const pace = (26 + age * 0.22) * awake * (weekday === 0 || weekday === 6 ? 0.62 : 1) * (0.82 + next() * 0.36);
    const visitors = Math.round(pace * (day === BUSY_DAY && hour > 8 ? 5.2 : day === addDays(BUSY_DAY, 1) ? 2.1 : 1));
    const visits = Math.round(visitors * (1.06 + next() * 0.06));
    const views = Math.round(visits * (2.1 + next() * 0.7));
    hours.push({ day, t: `${local}+0${offset}:00`, visitors, visits, views, events: views + Math.round(visits * 0.2),
      bounces: Math.round(visits * (0.41 + next() * 0.1)), duration_ms: Math.round(visits * (78_000 + next() * 42_000)) });
  }
  return hours;
}
const COURSE = course();
const NOTHING: Sums = { visitors: 0, visits: 0, views: 0, events: 0, bounces: 0, duration_ms: 0 };
const add = (a: Sums, b: Sums): Sums => ({ visitors: a.visitors + b.visitors, visits: a.visits + b.visits, views: a.views + b.views, events: a.events + b.events, bounces: a.bounces + b.bounces, duration_ms: a.duration_ms + b.duration_ms });
/** Somebody seen in two hours of a day is one visitor of the day. */
const ofDays = (sums: Sums): Sums => ({ ...sums, visitors: Math.round(sums.visitors * 0.86) });
const within = ({ from, until }: Span) => COURSE.filter(({ day }) => day >= from && day < until);
const sum = (span: Span): Sums => ofDays(within(span).reduce<Sums>(add, NOTHING));

export const SITES = [
  { id: 1, domain: 'fieldnotes.example', timezone: ZONE, role: 'owner', demo: false },
  { id: 2, domain: 'shop.fieldnotes.example', timezone: ZONE, role: 'owner', demo: false },
  { id: 3, domain: 'demo.tallyhouse', timezone: 'UTC', role: 'viewer', demo: true },
  ...['atlas', 'birch', 'cinder', 'delta', 'ember', 'flint', 'grove'].map((name, index) => ({ id: 4 + index, domain: `${name}.example`, timezone: ZONE, role: 'viewer', demo: false })),
];
export const ME: Me = { user: { id: 1, email: 'ada@fieldnotes.example', owner: true }, csrf: 'c5f0', sites: SITES };
export const STATUS: Status = { as_of: AS_OF, epoch: 3, today: TODAY, first_day: FIRST_DAY, last_event_at: '2026-11-22T13:41:07Z', timezone: ZONE, demo: false };

export function totals(span: Span): Totals {
  const days = (Date.parse(span.until) - Date.parse(span.from)) / 86_400_000;
  return { as_of: AS_OF, ...span, totals: sum(span), previous: sum({ from: addDays(span.from, -days), until: span.from }) };
}

export function timeseries(span: Span, interval: Interval): Timeseries {
  const hours = within(span);
  if (interval === 'hour') return { as_of: AS_OF, interval, points: hours.map(({ day: _day, ...point }) => point) };
  const start = (day: Day) => interval === 'month' ? monthStart(day) : interval === 'day' ? day
    : addDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));
  // Every step is there, zeros included, up to the horizon.
  const steps = new Map<Day, Sums>();
  for (let day = span.from; day < span.until && day <= TODAY; day = addDays(day, 1)) steps.set(start(day), NOTHING);
  for (const hour of hours) steps.set(start(hour.day), add(steps.get(start(hour.day)) ?? NOTHING, hour));
  const points: Point[] = [...steps].map(([t, sums]) => ({ t, ...ofDays(sums) }));
  return { as_of: AS_OF, interval, points };
}

// Rows: a name, its weight, and what else it has.
type Weighted = [name: string, weight: number, more?: Partial<Row>];
const SLUGS = ['sourdough-in-a-cold-kitchen', 'a-small-garden-on-a-north-balcony', 'how-to-sharpen-a-plane-iron', 'mending-wool', 'notes-on-ink', 'the-long-way-to-usedom-by-bicycle',
  'why-i-keep-a-paper-calendar', 'pickles', 'choosing-a-first-sewing-machine', 'rye-and-caraway', 'winter-greens', 'a-shelf-without-screws', 'repairing-a-moka-pot', 'letters', 'on-walking-the-same-road-every-day-for-a-year-and-what-changed',
  'soap', 'plums', 'how-a-tide-table-works', 'the-cheapest-good-knife', 'two-ways-to-bind-a-book', 'wild-garlic', 'dye-plants', 'a-week-without-a-phone', 'salt', 'oak-gall', 'chairs', 'a-map-of-benches'];
const PAGES: Weighted[] = [['/', 100], ['/journal', 52], ...SLUGS.map((slug, index): Weighted => [`/journal/${slug}`, 84 / (1 + index * 0.42)]), ['/about', 21], ['/shop', 18], ['/shop/field-notebook', 12.5],
  ['/shop/basket', 7], ['/newsletter', 16], ['/search', 5], ...Array.from({ length: 41 }, (_, index): Weighted => [`/journal/tag/${['bread', 'wood', 'garden', 'wool', 'paper'][index % 5]}/${index + 2}`, 3.5 / (1 + index * 0.1)])];
const LISTS: Record<string, Weighted[]> = {
  pages: PAGES,
  'entry-pages': PAGES.filter((_, index) => index % 3 !== 1),
  'exit-pages': PAGES.filter((_, index) => index % 4 !== 2),
  channel: [['Organic Search', 44], ['Direct', 27], ['Referral', 12], ['Organic Social', 8], ['Email', 5], ['AI Assistants', 2.6], ['Paid Search', 1.2], ['Organic Video', 0.4]],
  source: [['Google', 37], ['', 27], ['Hacker News', 7.5], ['DuckDuckGo', 4.2], ['Newsletter', 4], ['Bing', 3.1], ['Mastodon', 2.9], ['Reddit', 2.4], ['ChatGPT', 2.1], ['Kagi', 1.7], ['Ecosia', 1.4], ['YouTube', 0.6], ['Perplexity', 0.5]],
  referrer: [['', 27], ['google.com', 31], ['news.ycombinator.com/item', 7.5], ['duckduckgo.com', 4.2], ['google.de', 6], ['bing.com', 3.1], ['mastodon.social', 1.9], ['old.reddit.com/r/woodworking/comments/1gk2p9/how_do_you_sharpen_plane_irons', 1.6], ['chatgpt.com', 2.1], ['kagi.com', 1.7], ['lobste.rs', 0.8]],
  utm_campaign: [['autumn-letter', 3.1], ['november-letter', 2.4], ['notebook-launch', 1.8], ['welcome', 0.9]],
  utm_source: [['newsletter', 5], ['google', 1.2], ['podcast', 0.7]],
  utm_medium: [['email', 5.2], ['cpc', 1.2], ['audio', 0.5]],
  utm_content: [],
  utm_term: [['field notebook', 0.7], ['paper planner', 0.4]],
  country: [['DE', 38], ['US', 21], ['GB', 9], ['AT', 6], ['CH', 5], ['NL', 4], ['FR', 3.6], ['SE', 2.1], ['CA', 2], ['PL', 1.8], ['IN', 1.6], ['AU', 1.4], ['', 0.9], ['JP', 0.8], ['BR', 0.7]].map(([name, weight]): Weighted => [String(name), Number(weight), { country: String(name) }]),
  region: [['Berlin', 11, { country: 'DE' }], ['Bavaria', 8, { country: 'DE' }], ['California', 6, { country: 'US' }], ['England', 7.5, { country: 'GB' }], ['Vienna', 4, { country: 'AT' }], ['Zurich', 2.6, { country: 'CH' }], ['Hamburg', 4.4, { country: 'DE' }], ['New York', 3.2, { country: 'US' }], ['North Holland', 2, { country: 'NL' }], ['Saxony', 2.3, { country: 'DE' }], ['', 1.2, { country: '' }]],
  city: [['Berlin', 11, { country: 'DE', region: 'Berlin' }], ['Hamburg', 4.4, { country: 'DE', region: 'Hamburg' }], ['Munich', 4.1, { country: 'DE', region: 'Bavaria' }], ['Vienna', 3.8, { country: 'AT', region: 'Vienna' }], ['London', 3.6, { country: 'GB', region: 'England' }], ['Zurich', 2.1, { country: 'CH', region: 'Zurich' }], ['Leipzig', 1.9, { country: 'DE', region: 'Saxony' }], ['New York', 1.8, { country: 'US', region: 'New York' }], ['Amsterdam', 1.7, { country: 'NL', region: 'North Holland' }], ['San Francisco', 1.3, { country: 'US', region: 'California' }], ['Stockholm', 1.1, { country: 'SE', region: 'Stockholm' }]],
  browser: [['Chrome', 41], ['Safari', 27], ['Firefox', 19], ['Edge', 7], ['Samsung Internet', 3], ['Opera', 1.4], ['', 0.6]],
  browser_version: [['Chrome', 22, { version: '145' }], ['Safari', 16, { version: '26' }], ['Firefox', 12, { version: '148' }], ['Chrome', 9, { version: '144' }], ['Firefox', 5, { version: '140' }], ['Edge', 5, { version: '145' }]],
  os: [['Windows', 29], ['iOS', 22], ['macOS', 19], ['Android', 18], ['Linux', 11], ['', 1]],
  os_version: [['Windows', 21, { version: '11' }], ['iOS', 15, { version: '26' }], ['macOS', 12, { version: '26' }], ['Android', 9, { version: '16' }], ['Linux', 11]],
  device: [['Desktop', 56], ['Mobile', 39], ['Tablet', 4.6], ['TV', 0.2]],
  screen: [['Mobile', 38], ['Laptop', 31], ['Desktop', 22], ['Tablet', 8], ['', 1]],
  language: [['de', 47], ['en', 38], ['fr', 3.4], ['nl', 3], ['sv', 2], ['pl', 1.8], ['', 0.6]],
  events: [['Newsletter: signed up', 2.4], ['Outbound link', 9], ['File download', 3.8], ['Purchase', 0.82, { revenue: [{ currency: 'EUR', milli: 0 }, { currency: 'USD', milli: 0 }] }], ['Basket: added', 1.9], ['404', 0.9], ['Video: played', 0.5]],
  'event-props': [['', 40, { key: 'product', value: 'Field notebook' }], ['', 21, { key: 'product', value: 'Pencil set' }], ['', 12, { key: 'product', value: 'Ink, oak gall' }], ['', 44, { key: 'method', value: 'card' }], ['', 29, { key: 'method', value: 'invoice' }]].map((row) => row as Weighted),
};

/** The rows of a report; `kind` stands in for reports that have one. */
export function rows(name: string, span: Span, search: string, limit: number, offset: number): Rows {
  const all = sum(span);
  const next = random(name.length * 31 + 5);
  const scale = name.includes('pages') ? 0.0042 : name === 'event-props' ? 0.0001 : 0.01;
  const made = (LISTS[name] ?? []).map(([label, weight, more]): Row => {
    const visitors = Math.round(all.visitors * weight * scale);
    const visits = Math.round(visitors * (1.04 + next() * 0.1));
    const views = Math.round(visits * (name === 'pages' ? 1.25 + next() * 0.4 : 2 + next()));
    const row: Row = { name: label, visitors, ...more };
    if (name === 'pages') return { ...row, views, engaged_ms: Math.round(views * (18_000 + next() * 130_000)), scroll: Math.round(38 + next() * 50) };
    if (name === 'exit-pages') return { ...row, visits };
    if (name.startsWith('event')) {
      const count = Math.round(visitors * (1.1 + next() * 0.8));
      const revenue = row.revenue?.map(({ currency }, index) => ({ currency, milli: Math.round(count * (index ? 4200 : 23_750)) }));
      return { ...row, count, ...(revenue ? { revenue } : {}) };
    }
    return { ...row, visits, ...(name === 'entry-pages' ? {} : { views }), bounces: Math.round(visits * (0.3 + next() * 0.35)), duration_ms: Math.round(visits * (40_000 + next() * 110_000)) };
  }).filter((row) => row.visitors > 0 && `${row.name} ${row.key ?? ''} ${row.value ?? ''}`.toLowerCase().includes(search.toLowerCase()))
    .sort((a, b) => b.visitors - a.visitors);
  return { as_of: AS_OF, ...span, total: made.length, rows: made.slice(offset, offset + limit) };
}
