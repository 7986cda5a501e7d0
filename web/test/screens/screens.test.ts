// The built dashboard in a real browser, against the fixture server. Every test also proves that the console stayed
// clean, that the content security policy held and that no other host was asked.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { SITES } from './fixtures.ts';
import { PASSWORD, start, type Switches, TOKEN } from './mock.ts';

// For looking at: a folder for pictures of every screen.
const SHOTS = process.env['TALLYHOUSE_SHOTS'];
const CHROMIUM = process.env['TALLYHOUSE_CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const NOW = '2026-11-22T13:42:00Z';
const HOME = '/fieldnotes.example';
const PHONE = { width: 360, height: 740 };

let browser: Browser;
let origin: string;
let server: Server;
let switches: Switches;

before(async () => {
  ({ origin, server, switches } = await start());
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  if (SHOTS) mkdirSync(SHOTS, { recursive: true });
});
after(async () => {
  await browser?.close();
  server?.close();
});
beforeEach(() => Object.assign(switches, { isSignedIn: true, isAway: false, status: {}, sites: SITES, isEmpty: false, asked: [] }));

interface Given { path?: string; refusals?: number[]; set?: Partial<Switches>; context?: BrowserContextOptions }

/** Opens a page, runs the steps, and holds it to the rules above. `refusals` are statuses the browser may log. */
async function screen(name: string, given: Given, steps: (page: Page) => Promise<void>): Promise<void> {
  Object.assign(switches, given.set);
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...given.context });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    await page.clock.setFixedTime(NOW);
    const wrong: string[] = [];
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return;
      if (!given.refusals?.some((status) => message.text().includes(`status of ${status}`))) wrong.push(message.text());
    });
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('request', (request) => new URL(request.url()).origin !== origin && !request.url().startsWith('blob:') && wrong.push(`asked ${request.url()}`));
    await page.goto(origin + (given.path ?? HOME));
    await steps(page);
    if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: !(await page.locator('dialog').count()) });
    const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.ok(!isWide, 'the page scrolls sideways');
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

const shown = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();
const query = (page: Page) => new URL(page.url()).searchParams;
const totalsShown = (page: Page) => page.locator('.totals .value:not(.bone)').first().waitFor();

test('set-up: rules are shown, a refusal stands at its field, then the dashboard', () =>
  screen('set-up', { path: `/setup?token=${TOKEN}`, refusals: [400], set: { isSignedIn: false } }, async (page) => {
    await shown(page, 'At least 10 characters');
    await page.getByLabel('Email').fill('taken@example.org');
    await page.getByLabel('Password').fill('short');
    assert.equal(await page.locator('.met').count(), 0);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.locator('.met').waitFor();
    await page.getByRole('button', { name: 'Create account' }).click();
    await shown(page, 'This address has an account already.');
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'email');
    await page.getByLabel('Email').fill('ada@example.org');
    await page.getByRole('button', { name: 'Create account' }).click();
    await totalsShown(page);
    assert.equal(new URL(page.url()).pathname, HOME);
  }));

test('set-up: a used link says so', () =>
  screen('set-up-used', { path: '/setup?token=old', set: { isSignedIn: false } }, (page) => shown(page, 'This link no longer works')));

test('sign-in: a wrong password is refused, the right one leads where the address points', () =>
  screen('sign-in', { path: `${HOME}?range=7d`, refusals: [401], set: { isSignedIn: false } }, async (page) => {
    await page.getByLabel('Email').fill('ada@fieldnotes.example');
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await shown(page, 'Email or password is wrong.');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await totalsShown(page);
    assert.equal(query(page).get('range'), '7d');
  }));

test('a session that ends leads to sign-in, and back to the same view', () =>
  screen('session-ended', { refusals: [401] }, async (page) => {
    await totalsShown(page);
    switches.isSignedIn = false;
    await page.keyboard.press('w');
    await shown(page, 'Your session has ended');
    await page.getByLabel('Email').fill('ada@fieldnotes.example');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await totalsShown(page);
    assert.equal(query(page).get('range'), '7d');
  }));

test('signing out ends the session', () =>
  screen('signed-out', { refusals: [401] }, async (page) => {
    await page.getByRole('button', { name: 'Account and settings' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.equal(switches.isSignedIn, false);
  }));

test('no site: the form is there at once, then the snippet, then waiting', () =>
  screen('first-site', { path: '/', refusals: [400], set: { sites: [] } }, async (page) => {
    await page.getByLabel('Domain').fill('localhost');
    await page.getByLabel('Time zone').selectOption('Asia/Calcutta');
    await page.getByRole('button', { name: 'Add site' }).click();
    await shown(page, 'A domain has at least one dot');
    await page.getByLabel('Domain').fill('https://New.example/path');
    await page.getByRole('button', { name: 'Add site' }).click();
    await shown(page, 'Waiting for the first hit');
    await shown(page, 'data-domain="new.example"');
    await shown(page, '18:30 IST');
    await shown(page, /the next at 19:30 IST/);
    assert.equal(new URL(page.url()).pathname, '/new.example');
  }));

test('the first hit: its hour is named', () =>
  screen('first-hit', { set: { status: { first_day: null } } }, async (page) => {
    await shown(page, 'The first hit is in');
    await shown(page, /at 15:00 CET/);
  }));

test('the dashboard shows figures, as of when, and every panel', () =>
  screen('dashboard-light', {}, async (page) => {
    await totalsShown(page);
    await shown(page, '14:00 CET');
    await page.locator('.canvas canvas').waitFor();
    for (const text of ['Organic Search', 'Germany', 'Chrome', 'Purchase', '/journal/pickles']) await shown(page, text);
    assert.equal(await page.title(), 'fieldnotes.example · Tallyhouse');
    const credit = page.getByRole('link', { name: 'IP geolocation by DB-IP' });
    assert.equal(await credit.getAttribute('href'), 'https://db-ip.com');
    for (const landmark of ['main', 'banner', 'contentinfo'] as const) assert.equal(await page.getByRole(landmark).count(), 1, landmark);
  }));

test('dark: by the system, and by choice that outlives a reload', () =>
  screen('dashboard-dark', { context: { colorScheme: 'dark' } }, async (page) => {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.locator('.canvas canvas').waitFor();
    await shown(page, '/journal/pickles');
    const dark = await background();
    await page.keyboard.press('d');
    assert.notEqual(await background(), dark);
    await page.reload();
    await totalsShown(page);
    assert.notEqual(await background(), dark);
    await page.getByRole('button', { name: 'Account and settings' }).click();
    await page.getByRole('button', { name: 'dark' }).click();
    assert.equal(await background(), dark);
    await page.keyboard.press('Escape');
  }));

test('a card picks the metric; back and forward walk through the views', () =>
  screen('metric', {}, async (page) => {
    await totalsShown(page);
    await page.getByRole('button', { name: /^Bounce rate/ }).click();
    await page.getByRole('slider', { name: 'Bounce rate by day' }).waitFor();
    await page.getByRole('link', { name: 'week' }).click();
    await page.getByRole('slider', { name: 'Bounce rate by week' }).waitFor();
    await page.goBack();
    await page.getByRole('slider', { name: 'Bounce rate by day' }).waitFor();
    await page.goBack();
    await page.getByRole('slider', { name: 'Visitors by day' }).waitFor();
    await page.goForward();
    assert.equal(query(page).get('metric'), 'bounce');
  }));

test('the chart is read by mouse, by arrow keys, and as a table', () =>
  screen('chart', { path: `${HOME}?range=7d` }, async (page) => {
    const chart = page.getByRole('slider', { name: 'Visitors by day' });
    await chart.hover();
    await page.locator('.tip').waitFor();
    await page.mouse.move(0, 0);
    await chart.focus();
    await page.keyboard.press('End');
    await page.locator('.tip', { hasText: 'Sun, 22 Nov 2026, so far' }).waitFor();
    await page.keyboard.press('ArrowLeft');
    assert.match(await chart.getAttribute('aria-valuetext') ?? '', /^Sat, 21 Nov 2026: \d+$/);
    assert.equal(query(page).get('range'), '7d', 'arrows on the chart do not step the range');
    await page.getByRole('button', { name: 'Show as a table' }).click();
    await page.getByRole('columnheader', { name: 'Visit duration' }).waitFor();
    assert.equal(await page.locator('.plot-table tbody tr').count(), 7);
  }));

test('a day of 25 hours has 25 points', () =>
  screen('long-day', { path: `${HOME}?from=2026-10-25&until=2026-10-26` }, async (page) => {
    assert.equal(await page.getByRole('slider').getAttribute('aria-valuemax'), '24');
  }));

test('tabs: by click, by arrow, by address; versions and campaigns by the column head', () =>
  screen('tabs', {}, async (page) => {
    await page.getByRole('tab', { name: 'Exit' }).click();
    await page.getByRole('columnheader', { name: 'Exit page' }).waitFor();
    assert.equal(query(page).get('pages'), 'exit');
    await page.getByRole('tab', { name: 'Channel' }).focus();
    await page.keyboard.press('ArrowRight');
    await shown(page, 'Hacker News');
    assert.equal(query(page).get('sources'), 'source');
    await page.getByRole('tab', { name: 'Campaigns' }).click();
    await page.getByLabel('Campaigns: choose').selectOption('utm_content');
    await shown(page, 'No link with utm_content brought a visitor in this period.');
    await page.getByLabel('Browser: choose').selectOption('browser_version');
    await shown(page, 'Firefox 140');
    await page.getByRole('tab', { name: 'Cities' }).click();
    await shown(page, 'Leipzig');
    await page.getByRole('tab', { name: 'Language' }).click();
    await shown(page, 'German');
    await page.reload();
    await shown(page, 'Leipzig');
  }));

test('search in a panel asks the server and is part of the address', () =>
  screen('search', {}, async (page) => {
    await page.getByRole('button', { name: 'Search in pages' }).click();
    await page.getByRole('searchbox', { name: 'Search in pages' }).fill('wool');
    await page.locator('.pages').getByText('/journal/tag/wool/5').waitFor();
    assert.equal(query(page).get('pages.search'), 'wool');
    await page.getByRole('searchbox', { name: 'Search in pages' }).fill('nothing like it');
    await shown(page, 'Nothing contains “nothing like it”.');
    await page.getByRole('button', { name: 'Search in pages' }).click();
    await shown(page, '/journal/pickles');
    assert.equal(query(page).get('pages.search'), null);
  }));

test('details: every column, paging, a file that is safe to open', () =>
  screen('details', {}, async (page) => {
    await page.getByRole('link', { name: 'Details of pages' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByRole('columnheader', { name: 'Scroll' }).waitFor();
    await drawer.getByText('Page 1 of 2').waitFor();
    await drawer.getByRole('link', { name: 'Next' }).click();
    await drawer.getByText('Page 2 of 2').waitFor();
    assert.equal(query(page).get('page'), '2');
    const [download] = await Promise.all([page.waitForEvent('download'), drawer.getByRole('button', { name: 'CSV' }).click()]);
    assert.equal(download.suggestedFilename(), 'fieldnotes.example-pages-2026-10-26-2026-11-23.csv');
    const lines = readFileSync(await download.path(), 'utf8').trimEnd().split('\r\n');
    assert.equal(lines[0], 'name,visitors,views,engaged_ms,scroll');
    assert.equal(lines.length, 1 + 76);
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    assert.equal(query(page).get('details'), null);
  }));

test('events: revenue in each currency, a row opens its properties', () =>
  screen('events', {}, async (page) => {
    await page.getByText(/^€[\d,.]+$/).waitFor();
    await page.getByText(/^\$[\d,.]+$/).waitFor();
    await page.getByRole('link', { name: 'Purchase' }).click();
    await shown(page, 'Ink, oak gall');
    assert.equal(query(page).get('event'), 'Purchase');
    await page.getByRole('link', { name: 'All events' }).click();
    await shown(page, 'Outbound link');
  }));

test('custom range: native dates, both included; a wrong order is refused', () =>
  screen('custom-range', {}, async (page) => {
    await page.getByRole('button', { name: /^Range:/ }).click();
    await page.getByLabel('From').fill('2026-10-10');
    await page.getByLabel('To', { exact: true }).fill('2026-10-01');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await shown(page, 'The first day is after the last.');
    await page.getByLabel('To', { exact: true }).fill('2026-10-16');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByRole('button', { name: 'Range: 10–16 Oct 2026. Change' }).waitFor();
    assert.equal(query(page).get('from'), '2026-10-10');
    assert.equal(query(page).get('until'), '2026-10-17', 'the address is half-open');
    await page.getByRole('link', { name: 'Period before' }).click();
    await page.getByRole('button', { name: 'Range: 3–9 Oct 2026. Change' }).waitFor();
  }));

test('keyboard: letters, arrows, menus, help; nothing while typing', () =>
  screen('keyboard', {}, async (page) => {
    await totalsShown(page);
    for (const [key, range] of [['t', 'today'], ['q', '91d'], ['l', 'last-month'], ['w', '7d']] as const) {
      await page.keyboard.press(key);
      assert.equal(query(page).get('range'), range);
    }
    await page.keyboard.press('ArrowLeft');
    assert.equal(query(page).get('from'), '2026-11-09');
    await page.keyboard.press('ArrowRight');
    assert.equal(query(page).get('range'), '7d');
    await page.keyboard.press('s');
    await page.getByRole('searchbox', { name: 'Find a site' }).waitFor();
    await page.keyboard.type('shop');
    assert.equal(query(page).get('range'), '7d');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/shop.fieldnotes.example?range=7d');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('t');
    assert.equal(query(page).get('range'), '7d');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }));

test('the demo is called a demo, an unknown site is not guessed', () =>
  screen('demo', { path: '/nosuch.example' }, async (page) => {
    await page.getByRole('heading', { name: 'No such site' }).waitFor();
    await page.getByRole('link', { name: 'demo.tallyhouse' }).click();
    await page.getByRole('banner').getByText('Demo data').waitFor();
    await shown(page, '13:00 UTC');
  }));

test('empty: no hits is said, rates of nothing are a dash', () =>
  screen('empty', { set: { isEmpty: true } }, async (page) => {
    await shown(page, 'No hits in this period.');
    await shown(page, 'No custom events in this period.');
    assert.match(await page.getByRole('button', { name: /^Bounce rate/ }).innerText(), /–\s*.*–/s);
  }));

test('empty: a day whose first hour still runs', () =>
  screen('not-closed', { path: `${HOME}?range=today`, set: { status: { as_of: '2026-11-22T23:00:00Z', today: '2026-11-23' } } }, async (page) => {
    await shown(page, 'No hour of this period is closed yet.');
  }));

test('ClickHouse away: said once, collection goes on, figures come back by themselves', () =>
  screen('away', { refusals: [503], set: { isAway: true } }, async (page) => {
    await shown(page, 'ClickHouse is away; collection goes on.');
    assert.equal(await page.locator('.notice').count(), 1);
    if (SHOTS) await page.screenshot({ path: `${SHOTS}/away-before.png`, fullPage: true });
    switches.isAway = false;
    await totalsShown(page);
    await shown(page, 'Organic Search');
    await page.locator('.notice').waitFor({ state: 'detached' });
  }));

test('a failed question can be asked again', () =>
  screen('failed', { refusals: [500] }, async (page) => {
    await totalsShown(page);
    await page.route('**/totals?*', (route) => route.fulfill({ status: 500, contentType: 'application/json', body: '{"error":"x","message":"The query took too long."}' }));
    const errors = page.getByText('The query took too long.');
    await page.keyboard.press('m');
    await errors.waitFor();
    await page.unroute('**/totals?*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await totalsShown(page);
  }));

test('late hours are called late', () =>
  screen('late', { set: { status: { as_of: '2026-11-22T10:00:00Z' } } }, (page) => shown(page, 'later hours close late')));

test('the page renews itself when an hour is closed', () =>
  screen('renewed', {}, async (page) => {
    await totalsShown(page);
    const before = switches.asked.filter((path) => path.includes('/totals')).length;
    switches.status = { as_of: '2026-11-22T14:00:00Z' };
    await page.clock.setFixedTime('2026-11-22T14:00:09Z');
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await shown(page, '15:00 CET');
    await page.waitForFunction(() => document.querySelector('.totals')?.getAttribute('aria-busy') === 'false');
    assert.ok(switches.asked.filter((path) => path.includes('/totals')).length > before);
  }));

test('phone: 360 px wide, nothing is cut off sideways, details open', () =>
  screen('phone', { context: { viewport: PHONE, hasTouch: true, isMobile: true } }, async (page) => {
    await totalsShown(page);
    await page.locator('.canvas canvas').waitFor();
    await shown(page, 'Organic Search');
    await page.getByRole('button', { name: /^Range:/ }).tap();
    const menu = await page.locator('.menu').boundingBox();
    assert.ok(menu && menu.x >= 0 && menu.x + menu.width <= PHONE.width, JSON.stringify(menu));
    await page.getByRole('link', { name: 'Last 7 days' }).tap();
    await page.getByRole('button', { name: 'Range: Last 7 days. Change' }).waitFor();
    await page.getByRole('link', { name: 'Details of sources' }).tap();
    await page.getByRole('dialog').getByText('Organic Search').waitFor();
    await page.getByRole('button', { name: 'Close' }).tap();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }));

test('the layout does not jump while figures load', () =>
  screen('steady', {}, async (page) => {
    await page.route('**/api/sites/**', async (route) => {
      if (!route.request().url().endsWith('/status')) await held;
      await route.continue();
    });
    let release = () => {};
    const held = new Promise<void>((resolve) => { release = resolve; });
    await page.reload();
    const tops = () => page.locator('.panel').evaluateAll((panels) => panels.map((panel) => Math.round(panel.getBoundingClientRect().top + scrollY)));
    await page.locator('.panel.events table').waitFor();
    const loading = await tops();
    release();
    await page.locator('.canvas canvas').waitFor();
    await shown(page, '/journal/pickles');
    await shown(page, 'Purchase');
    assert.deepEqual(await tops(), loading);
  }));
