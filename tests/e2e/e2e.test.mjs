// The whole road: a real browser on a site → tracker → daemon → ClickHouse → a closed hour → the dashboard in a
// real browser. Needs the built program with tracker and dashboard inside; see ci/test.
// @ts-check
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createServer, request } from "node:http";
import { after, before, describe, test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { close, launch, listen, port, serveSite } from "../../tracker/test/browser.mjs";
import { Daemon, until } from "./daemon.mjs";
import { VISITORS, watch } from "./visitors.mjs";

const SHOTS = process.env.TALLYHOUSE_SHOTS;
const EMAIL = "ada@site.test";
const PASSWORD = "a few plain words";
const HOUR_MS = 3_600_000;
const OLD_SCRIPT = "/js/script.js";

/** The daemon's time: five past ten UTC of this day, so that all visits fall into one hour of one day. */
const TODAY = new Date().toISOString().slice(0, 10);
const HOUR = `${TODAY}T10:00:00`;
const OFFSET_S = Math.round((Date.parse(`${TODAY}T10:05:00Z`) - Date.now()) / 1000);

const daemon = new Daemon();
/** @type {import("playwright-core").Browser} */
let browser;
/** The operator's browser profile, signed in from the set-up on. @type {import("playwright-core").BrowserContext} */
let operator;
/** What the operator's screens did wrong: console, policy, foreign hosts. @type {string[]} */
const wrong = [];

/** @param {number} offsetSeconds */
const flags = (offsetSeconds) => ["--clock-offset", String(offsetSeconds), "--script-path", OLD_SCRIPT];

/** A new tab of the operator, whose clock is the daemon's. @param {number} offsetSeconds */
async function screen(offsetSeconds) {
  const page = await operator.newPage();
  page.setDefaultTimeout(15_000);
  await page.clock.install({ time: Date.now() + offsetSeconds * 1000 });
  watch(page, [daemon.origin], wrong);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) wrong.push(message.text());
  });
  return page;
}

/** @param {import("playwright-core").Page} page @param {string} name */
async function shot(page, name) {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

/** Waits until no part of the screen still loads. @param {import("playwright-core").Page} page */
async function figures(page) {
  await page.locator("td.share:not(:empty)").first().waitFor();
  await page.locator("[aria-busy=true], .bone").first().waitFor({ state: "detached" });
}

/** An answer of the dashboard's API to the operator. @param {string} path @returns {Promise<any>} */
async function api(path) {
  const answer = await operator.request.get(daemon.origin + path);
  return answer.ok() ? answer.json() : undefined;
}

/** An answer as it is on the wire, undecoded. @param {string} path @param {Record<string, string>} [headers] */
function raw(path, headers = {}) {
  return new Promise((resolve, reject) => {
    const asked = request(daemon.origin + path, { headers }, async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) });
    });
    asked.on("error", reject).end();
  });
}

/**
 * A panel shows these rows, in any order: the texts of the columns but the share, as they stand.
 * @param {import("playwright-core").Page} page
 * @param {string} panel
 * @param {string[]} expected
 * @param {string} [tab]  the tab to open first
 */
async function shows(page, panel, expected, tab) {
  const section = page.locator(`section.${panel}`);
  if (tab) {
    await section.getByRole("tab", { name: tab, exact: true }).click();
    await section.locator("[role=tab][aria-selected=true]", { hasText: tab }).waitFor();
  }
  // Shares stand once the totals are known.
  await section.locator("[aria-busy=false] tbody tr:not(.waiting) .share:not(:empty)").first().waitFor();
  const rows = await section.locator("tbody tr").all();
  const texts = await Promise.all(rows.map((row) => row.locator("th, td:not(.share)").allInnerTexts()));
  const lines = texts.map((cells) => cells.map((cell) => cell.trim().replace(/\s+/g, " ")).join(" | "));
  assert.deepEqual(lines.sort(), [...expected].sort(), `${panel} ${tab ?? ""}`);
}

/**
 * A visitor comes, does what is to be done, and leaves.
 * @param {import("playwright-core").Browser} browser
 * @param {typeof VISITORS[number]} visitor
 * @param {string} site
 */
async function come(browser, { name, context, visit }, site) {
  const page = await browser.newPage(context);
  page.setDefaultTimeout(15_000);
  /** @type {string[]} */
  const problems = [];
  watch(page, [site, daemon.origin, "http://blog.test"], problems);
  await visit(page, site);
  // Leaving posts how long the last page was seen.
  await page.goto("about:blank");
  assert.deepEqual(problems, [], name);
}

/** The raw events by name, once there are so many of each. @param {Record<string, number>} expected */
function counted(expected) {
  return until("every hit in ClickHouse", async () => {
    await daemon.drained();
    const rows = await daemon.sql(`SELECT name, toUInt32(count()) AS count, toUInt32(uniqExact(visitor)) AS visitors,
      toUInt32(countIf(bot > 0)) AS bots FROM events WHERE site_id > 0 GROUP BY name`);
    const found = Object.fromEntries(rows.map(({ name, ...row }) => [name, row]));
    return Object.entries(expected).every(([name, count]) => found[name]?.count >= count) && found;
  }, () => daemon.log);
}

describe("end to end", () => {
  before(async () => {
    if (SHOTS) mkdirSync(SHOTS, { recursive: true });
    await daemon.start(flags(OFFSET_S));
    browser = await launch();
    operator = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  });
  after(async () => {
    await browser?.close();
    await daemon.end();
  });

  test("set-up link, account, first site, snippet", async () => {
    const link = await until("the set-up link", async () => /http\S+\/setup\?token=\S+/.exec(daemon.printed)?.[0]);
    assert.ok(link.startsWith(daemon.origin));
    const page = await screen(OFFSET_S);
    await page.goto(link);
    await page.getByLabel("Email").fill(EMAIL);
    await page.getByLabel("Password").fill(PASSWORD);
    await shot(page, "1-set-up");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("heading", { name: "Add your first site" }).waitFor();
    await page.getByLabel("Domain").fill("site.test");
    await page.getByLabel("Time zone").selectOption("UTC");
    await shot(page, "2-add-site");
    await page.getByRole("button", { name: "Add site" }).click();
    await page.getByRole("heading", { name: "Waiting for the first hit" }).waitFor();
    await page.getByText(`src="${daemon.origin}/tracker.js" data-domain="site.test"`).waitFor();
    await page.getByText("the next at 11:00 UTC").waitFor();
    await shot(page, "3-waiting");
    assert.equal(new URL(page.url()).pathname, "/site.test");
    await page.close();
    assert.deepEqual(wrong, []);

    // The link is good for one account.
    const again = await fetch(`${daemon.origin}/api/setup?${new URL(link).searchParams}`);
    assert.deepEqual(await again.json(), { valid: false, email: null });
  });

  test("four visitors on the site", async () => {
    const site = await serveSite({ domain: "site.test", script: `${daemon.origin}/tracker.js` });
    const browsers = await Promise.all(VISITORS.map(({ agent }) => launch(agent)));
    try {
      await Promise.all(VISITORS.map((visitor, at) =>
        come(/** @type {import("playwright-core").Browser} */ (browsers[at]), visitor, site.origin)));
      assert.deepEqual(await counted({ pageview: 9, engagement: 9, Signup: 2, Scrolled: 1 }), {
        pageview: { count: 9, visitors: 4, bots: 0 },
        engagement: { count: 9, visitors: 4, bots: 0 },
        Signup: { count: 2, visitors: 2, bots: 0 },
        Scrolled: { count: 1, visitors: 1, bots: 0 },
      });
    } finally {
      await Promise.all([...browsers.map((browser) => browser.close()), site.close()]);
    }
    // The hour runs: hits are seen to come in, and nothing else of them is shown yet.
    const status = await api("/api/sites/1/status");
    assert.deepEqual([status.as_of, status.first_day], [`${HOUR}+00:00`, null]);
    const page = await screen(OFFSET_S);
    await page.goto(`${daemon.origin}/site.test`);
    await page.getByRole("heading", { name: "The first hit is in" }).waitFor();
    await page.getByText(/latest hit came at 10:0\d UTC.* after 11:00 UTC/).waitFor();
    await shot(page, "4-first-hit");
    await page.close();
  });

  test("the hour closes behind a restart, and the session holds", async () => {
    assert.equal(await daemon.stop(), 0, daemon.log);
    await daemon.start(flags(OFFSET_S + 3600));
    const status = await until("the hour to close", async () => {
      const status = await api("/api/sites/1/status");
      return status?.first_day && status;
    }, () => daemon.log);
    assert.equal(status.as_of, `${TODAY}T11:00:00+00:00`);
    assert.deepEqual([status.today, status.first_day], [TODAY, TODAY]);
    assert.equal(Date.parse(status.last_event_at) >= Date.parse(`${HOUR}Z`), true);
    const { user, sites } = await api("/api/me");
    assert.deepEqual([user.email, sites.map((/** @type {any} */ s) => s.domain)], [EMAIL, ["site.test"]]);
  });

  test("the API tells what was done", async () => {
    const tomorrow = new Date(Date.parse(TODAY) + 24 * HOUR_MS).toISOString().slice(0, 10);
    const ask = (/** @type {string} */ report) =>
      api(`/api/sites/1/${report}${report.includes("?") ? "&" : "?"}from=${TODAY}&until=${tomorrow}`);
    const { totals } = await ask("totals");
    const { duration_ms, engaged_ms, ...counts } = totals;
    assert.deepEqual(counts, { visitors: 4, visits: 4, views: 9, events: 3, bounces: 2 });
    assert.ok(duration_ms > 0 && engaged_ms > 0);

    const { points } = await ask("timeseries?interval=hour");
    assert.equal(points.length, 11, "the hours of the day up to the last closed one");
    assert.deepEqual(
      points.filter((/** @type {any} */ point) => point.views > 0)
        .map(({ t, visitors, visits, views }) => ({ t, visitors, visits, views })),
      [{ t: `${HOUR}+00:00`, visitors: 4, visits: 4, views: 9 }],
    );

    const { total, rows } = await ask("pages");
    assert.equal(total, 6);
    assert.deepEqual(
      Object.fromEntries(rows.map((/** @type {any} */ row) => [row.name, [row.visitors, row.views]])),
      {
        "/": [2, 2],
        "/pricing.html": [2, 2],
        "/docs/": [1, 1],
        "/docs/install.html": [1, 1],
        "/spa.html": [1, 2],
        "/spa/settings": [1, 1],
      },
    );
    const events = await ask("events");
    assert.deepEqual(
      Object.fromEntries(events.rows.map((/** @type {any} */ { name, ...row }) => [name, row])),
      {
        Signup: { visitors: 2, count: 2, revenue: [{ currency: "EUR", milli: 29_900 }, { currency: "USD", milli: 10_500 }] },
        Scrolled: { visitors: 1, count: 1, revenue: [] },
      },
    );
  });

  test("the dashboard shows what was done", async () => {
    const page = await screen(OFFSET_S + 3600);
    await page.goto(`${daemon.origin}/site.test?range=today`);
    await page.locator(".totals .value:not(.bone)").first().waitFor();
    await page.getByText("Closed hours up to 11:00 UTC").waitFor();
    const totals = await page.locator(".totals button").evaluateAll((buttons) =>
      buttons.map((button) => [...button.querySelectorAll(".label, .value")].map((part) => part.textContent)));
    const { "Visit duration": duration, ...counts } = Object.fromEntries(totals);
    assert.deepEqual(counts, { Visitors: "4", Visits: "4", "Page views": "9", "Views per visit": "2.25", "Bounce rate": "50%" });
    assert.match(duration, /^\d+s$/);

    await shows(page, "pages", [
      "/ | 2 | 2",
      "/pricing.html | 2 | 2",
      "/spa.html | 2 | 1",
      "/docs/ | 1 | 1",
      "/docs/install.html | 1 | 1",
      "/spa/settings | 1 | 1",
    ]);
    await shows(page, "sources", [
      "Direct | 1 | 1",
      "Referral | 1 | 1",
      "Email | 1 | 1",
      "Organic Search | 1 | 1",
    ]);
    await shows(page, "devices", ["Chrome | 2 | 2", "Firefox | 1 | 1", "Safari | 1 | 1"]);
    await shows(page, "events", ["Signup €29.90 $10.50 | 2 | 2", "Scrolled | 1 | 1"]);
    await figures(page);
    await shot(page, "5-dashboard");
    await tabs(page);
    await colours(page);
    await page.close();
    assert.deepEqual(wrong, []);
  });

  /** The other tabs of the panels. @param {import("playwright-core").Page} page */
  async function tabs(page) {
    await shows(page, "pages", ["/ | 2 | 2", "/spa.html | 1 | 1", "/pricing.html | 1 | 1"], "Entry");
    await shows(page, "pages", [
      "/docs/install.html | 1 | 1",
      "/spa.html | 1 | 1",
      "/ | 1 | 1",
      "/pricing.html | 1 | 1",
    ], "Exit");
    await shows(page, "sources", [
      "Direct | 1 | 1",
      "blog.test | 1 | 1",
      "newsletter | 1 | 1",
      "Google | 1 | 1",
    ], "Source");
    await shows(page, "sources", ["autumn | 1 | 1"], "Campaigns");
    await shows(page, "devices", [
      "Linux | 1 | 1",
      "Windows | 1 | 1",
      "Android | 1 | 1",
      "macOS | 1 | 1",
    ], "OS");
    await shows(page, "devices", ["Desktop | 3 | 3", "Mobile | 1 | 1"], "Device");
    await shows(page, "devices", [
      "Desktop 1440 px and more | 2 | 2",
      "Laptop 992–1439 px | 1 | 1",
      "Mobile up to 575 px | 1 | 1",
    ], "Screen");
    await page.locator("section.events").getByRole("link", { name: "Signup" }).click();
    await page.locator("section.events .code").first().waitFor();
    await shows(page, "events", ["plan team | 1 | 1", "plan solo | 1 | 1", "seats 3 | 1 | 1"]);
  }

  /** Dark, and on a phone. @param {import("playwright-core").Page} page */
  async function colours(page) {
    await page.emulateMedia({ colorScheme: "dark" });
    await page.goto(`${daemon.origin}/site.test`);
    await figures(page);
    await shot(page, "6-dashboard-dark");
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 390, height: 844 });
    await shot(page, "7-dashboard-phone");
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 390, "a phone does not scroll sideways");
  }

  test("the old Plausible snippet counts", async () => {
    const head = `<link rel="icon" href="data:,">
      <script defer data-domain="site.test" data-local src="${daemon.origin}${OLD_SCRIPT}"></script>
      <script>
        window.plausible = window.plausible || function() { (window.plausible.q = window.plausible.q || []).push(arguments) }
      </script>`;
    const server = createServer((_, response) => response
      .writeHead(200, { "content-type": "text/html" })
      .end(`<!doctype html>${head}<script>plausible("Old", { props: { plan: "legacy" } })</script>`));
    await listen(server);
    const site = `http://site.test:${port(server)}`;
    const context = await browser.newContext({ userAgent: VISITORS[0]?.agent ?? "" });
    try {
      const page = await context.newPage();
      /** @type {string[]} */
      const problems = [];
      watch(page, [site, daemon.origin], problems);
      await page.goto(`${site}/legacy`);
      const rows = await until("both hits in ClickHouse", async () => {
        await daemon.drained();
        const rows = await daemon.sql(`SELECT name, pathname, hostname, props FROM events
          WHERE site_id = 1 AND pathname = '/legacy' AND name != 'engagement' ORDER BY name`);
        return rows.length >= 2 && rows;
      }, () => daemon.log);
      assert.deepEqual(rows, [
        { name: "Old", pathname: "/legacy", hostname: "site.test", props: { plan: "legacy" } },
        { name: "pageview", pathname: "/legacy", hostname: "site.test", props: {} },
      ]);
      assert.deepEqual(problems, []);
    } finally {
      await context.close();
      await close(server);
    }
  });

  test("tracker and dashboard as they are served", async () => {
    const plain = await raw("/tracker.js");
    assert.equal(plain.status, 200);
    assert.equal(plain.headers["content-type"], "text/javascript; charset=utf-8");
    assert.equal(plain.headers["access-control-allow-origin"], "*");
    assert.equal(plain.headers["vary"], "accept-encoding");
    assert.equal(plain.headers["content-encoding"], undefined);
    const { etag } = plain.headers;
    assert.match(etag, /^"[^"]+"$/);
    for (const [encoding, unpack] of /** @type {const} */ ([["br", brotliDecompressSync], ["gzip", gunzipSync]])) {
      const packed = await raw("/tracker.js", { "accept-encoding": encoding });
      assert.equal(packed.headers["content-encoding"], encoding);
      assert.ok(packed.body.length < plain.body.length);
      assert.deepEqual(unpack(packed.body), plain.body);
      assert.equal(packed.headers["access-control-allow-origin"], "*");
    }
    const same = await raw("/tracker.js", { "if-none-match": etag });
    assert.deepEqual([same.status, same.body.length, same.headers["access-control-allow-origin"]], [304, 0, "*"]);
    assert.deepEqual((await raw(OLD_SCRIPT)).body, plain.body);

    const html = await raw("/site.test");
    assert.match(html.headers["content-security-policy"], /^default-src 'none'; script-src 'self';/);
    assert.doesNotMatch(html.headers["content-security-policy"], /unsafe/);
    // The console of all screens so far, where a violation would stand.
    assert.deepEqual(wrong, []);
  });
});
