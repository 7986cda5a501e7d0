// Serves the built dashboard and the fixtures, with the content security policy the dashboard must live under.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Interval, Status } from '../../src/api.ts';
import { isDay } from '../../src/hours.ts';
import { ME, rows, SITES, STATUS, timeseries, totals } from './fixtures.ts';

const DIST = new URL('../../dist/', import.meta.url);
const TYPES: Record<string, string> = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml', html: 'text/html; charset=utf-8' };
export const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
export const PASSWORD = 'a few plain words';
export const TOKEN = 'first-run';

class Refused extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly field?: string) { super(message); }
}

/** What a test may turn while the server runs. */
export interface Switches { isSignedIn: boolean; isAway: boolean; status: Partial<Status>; sites: typeof SITES; isEmpty: boolean; asked: string[] }

async function body(request: IncomingMessage): Promise<Record<string, string>> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

function answerReport(name: string, query: URLSearchParams, switches: Switches): unknown {
  const [from, until] = [query.get('from') ?? '', query.get('until') ?? ''];
  if (!isDay(from) || !isDay(until) || from >= until) throw new Refused(400, 'bad_range', 'from and until must be dates, from before until.', 'from');
  const span = switches.isEmpty ? { from: '2025-01-01', until: '2025-01-02' } : { from, until };
  if (name === 'totals') return totals(span);
  if (name === 'timeseries') {
    const answer = timeseries({ from, until }, (query.get('interval') ?? 'day') as Interval);
    return switches.isEmpty ? { ...answer, points: answer.points.map(({ t }) => ({ t, visitors: 0, visits: 0, views: 0, events: 0, bounces: 0, duration_ms: 0 })) } : answer;
  }
  return rows(query.get('kind') ?? name, span, query.get('search') ?? '', Number(query.get('limit') ?? 10), Number(query.get('offset') ?? 0));
}

async function answer(request: IncomingMessage, url: URL, switches: Switches): Promise<unknown> {
  const me = () => ({ ...ME, sites: switches.sites });
  const values = request.method === 'POST' ? await body(request) : {};
  const path = url.pathname.slice('/api/'.length);
  if (path === 'setup' && request.method === 'GET') return { valid: url.searchParams.get('token') === TOKEN, email: null };
  if (path === 'setup') {
    if (values['email'] === 'taken@example.org') throw new Refused(400, 'bad_email', 'This address has an account already.', 'email');
    switches.isSignedIn = true;
    return me();
  }
  if (path === 'login') {
    if (values['password'] !== PASSWORD) throw new Refused(401, 'wrong', 'Email or password is wrong.');
    switches.isSignedIn = true;
    return me();
  }
  if (!switches.isSignedIn) throw new Refused(401, 'not_signed_in', 'Sign in first.');
  if (request.method === 'POST' && request.headers['x-csrf-token'] !== ME.csrf) throw new Refused(403, 'csrf', 'The token is missing.');
  if (path === 'me') return me();
  if (path === 'logout') return void (switches.isSignedIn = false);
  if (path === 'sites') {
    if (!values['domain']?.includes('.')) throw new Refused(400, 'bad_domain', 'A domain has at least one dot, as in example.org.', 'domain');
    const site = { id: 99, domain: values['domain'], timezone: values['timezone'] ?? 'UTC', role: 'owner', demo: false };
    switches.sites = [...switches.sites, site];
    switches.status = { first_day: null, last_event_at: null };
    return site;
  }
  const [, id, name = ''] = /^sites\/(\d+)\/(.+)$/.exec(path) ?? [];
  const site = switches.sites.find((candidate) => candidate.id === Number(id));
  if (!site) throw new Refused(404, 'no_site', 'No such site.');
  if (name === 'snippet') return { html: `<script defer src="https://stats.example.org/tracker.js" data-domain="${site.domain}"></script>` };
  if (name === 'status') return { ...STATUS, timezone: site.timezone, demo: site.demo, ...switches.status };
  if (switches.isAway) throw new Refused(503, 'store_away', 'ClickHouse is away.');
  return answerReport(name, url.searchParams, switches);
}

async function file(path: string): Promise<{ bytes: Buffer; type: string }> {
  const name = path.startsWith('/assets/') ? path.slice(1) : 'index.html';
  return { bytes: await readFile(new URL(name, DIST)), type: TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream' };
}

export async function start(): Promise<{ origin: string; switches: Switches; server: Server }> {
  const switches: Switches = { isSignedIn: true, isAway: false, status: {}, sites: SITES, isEmpty: false, asked: [] };
  const server = createServer((request, reply) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (!url.pathname.startsWith('/api/')) {
      file(url.pathname).then(({ bytes, type }) => reply.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY }).end(bytes),
        () => reply.writeHead(404).end());
      return;
    }
    switches.asked.push(url.pathname + url.search);
    answer(request, url, switches).then(
      (value) => value === undefined ? reply.writeHead(204).end() : reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value)),
      (error: Refused) => reply.writeHead(error.status ?? 500, { 'content-type': 'application/json', ...(error.status === 503 ? { 'retry-after': '1' } : {}) })
        .end(JSON.stringify({ error: error.code, message: error.message, ...(error.field ? { field: error.field } : {}) })),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, switches, server };
}
