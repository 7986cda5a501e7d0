// The tracker in Chromium under automation: a table of pages, what is done with them, and what must
// have been posted. What automation makes unreal (prerendering, tabs) is in visitor.test.mjs.
// @ts-check
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { launch, snippet, tracker } from "./browser.mjs";
import { Rig, golden } from "./rig.mjs";

/**
 * @typedef {import("playwright-core").Page} Tab
 * @typedef {object} Case
 * @property {string} name
 * @property {Record<string, import("./rig.mjs").Page>} [pages]  beside the demo site
 * @property {string | null} [start]  path to open first, by default `/`; null: `actions` opens
 * @property {import("./rig.mjs").Answer[]} [answers]  of the collector, then 202
 * @property {(tab: Tab) => Promise<unknown>} [before]  the first page
 * @property {(tab: Tab) => Promise<unknown>} [actions]
 * @property {object[]} [expected]  what must be among the fields of the hits, engagement aside
 * @property {string} [golden]  file that holds the whole hits
 * @property {(tab: Tab) => unknown} [check]
 */

/** @type {Rig} */
let rig;
/** @type {import("playwright-core").Browser} */
let browser;

const view = (/** @type {string} */ path, /** @type {object} */ more = {}) => ({
  n: "pageview",
  u: `http://site.test${path}`,
  ...more,
});
const event = (/** @type {string} */ n, /** @type {object} */ more = {}) => ({ n, ...more });

const page = (/** @type {string} */ body, /** @type {object} */ options = {}) =>
  /** @type {import("./rig.mjs").Page} */ (({ script }) =>
    `<!doctype html><link rel="icon" href="data:,">${snippet({ script, local: true, ...options })}${body}`);
const bare = () => `<!doctype html><link rel="icon" href="data:,">`;

/** Runs in the page. @param {Tab} tab @param {string} code */
const run = (tab, code) => tab.evaluate(`(async () => { ${code} })()`);

/** Follows a link of the demo site, and waits for the view of its page. */
async function follow(/** @type {Tab} */ tab, /** @type {string} */ path) {
  const views = rig.named("pageview").length;
  await tab.click(`a[href="${path}"]`);
  await rig.got("pageview", views + 1);
}

/** @type {Case[]} */
const CASES = [
  {
    name: "every page of a site is a view, and says which page it came from",
    golden: "pages",
    actions: async (tab) => {
      await follow(tab, "/pricing.html");
      await follow(tab, "/docs/");
    },
    expected: [
      view("/", { r: "" }),
      view("/docs/", { r: "http://site.test/pricing.html" }),
      view("/pricing.html", { r: "http://site.test/" }),
    ],
  },
  {
    name: "a referrer and the query of the first page are sent",
    pages: {
      "/from": ({ origin }) => `<!doctype html><a href="${origin}/docs/?utm_source=news">go</a>`,
    },
    golden: "referrer",
    start: null,
    actions: async (tab) => {
      await tab.goto(`${rig.origin("other.test")}/from`);
      await tab.click("a");
      await rig.got("pageview");
    },
    expected: [view("/docs/?utm_source=news", { r: "http://other.test/" })],
  },
  {
    name: "inside one document, a new path is a view and the same path is not",
    start: "/spa.html",
    golden: "single_page_app",
    actions: async (tab) => {
      await tab.click("text=Settings");
      await tab.click("text=Settings");
      await tab.click("text=Keys");
      await run(tab, `location.hash = "part"`);
      await run(tab, `history.replaceState({ scroll: 1 }, "")`);
      await run(tab, `history.replaceState({}, "", "?tab=other")`);
      await run(tab, `history.replaceState({}, "", "/spa/profile")`);
      await run(tab, `history.go(-4)`);
      await tab.waitForURL("**/spa.html");
    },
    expected: [
      view("/spa.html", { r: "" }),
      view("/spa.html", { r: "http://site.test/spa/profile" }),
      view("/spa/profile", { r: "http://site.test/spa/settings" }),
      view("/spa/settings", { r: "http://site.test/spa.html" }),
    ],
  },
  {
    name: "what the page reported before the tracker came is sent after the view",
    golden: "queued_events",
    pages: {
      "/": page(`<script>
        tallyhouse("Signup", { props: { plan: "team", seats: 3, trial: true } });
        window.plausible = window.plausible || function () { (plausible.q = plausible.q || []).push(arguments) };
        plausible("Order", { revenue: { currency: "EUR", amount: 29.9 }, u: "http://site.test/checkout" });
        plausible("Scrolled", { interactive: false });
      </script>`),
    },
    actions: () => rig.got("Scrolled"),
    expected: [
      event("Order", { revenue: { currency: "EUR", amount: 29.9 }, u: "http://site.test/checkout" }),
      event("Scrolled", { interactive: false }),
      event("Signup", { props: { plan: "team", seats: 3, trial: true } }),
      view("/", { r: "" }),
    ],
    check: () => assert.equal(rig.posts[0]?.body.n, "pageview"),
  },
  {
    name: "an event is sent at once, and its callback hears the answer",
    golden: "event",
    start: "/pricing.html",
    actions: async (tab) => {
      await tab.click("button");
      const heard = run(
        tab,
        `return new Promise((done) => tallyhouse("Heard", { callback: ({ status }) => done(status) }))`,
      );
      assert.equal(await heard, 202);
      await run(tab, `tallyhouse("Plain"); tallyhouse("Nothing", null)`);
      await rig.got("Nothing");
      await rig.got("Plain");
    },
    expected: [
      event("Heard"),
      event("Nothing"),
      event("Plain"),
      event("Signup", {
        props: { plan: "team" },
        revenue: { currency: "EUR", amount: 29.9 },
        u: "http://site.test/pricing.html",
      }),
      view("/pricing.html"),
    ],
  },
  {
    name: "two tags of the tracker count once",
    pages: {
      "/": ({ script }) =>
        `<!doctype html>${snippet({ script, local: true })}${snippet({ script, local: true })}
         <script src="${script}?again" data-local></script><script>tallyhouse("Once")</script>`,
    },
    actions: (tab) => run(tab, `history.pushState(null, "", "/next")`),
    expected: [event("Once"), view("/"), view("/next")],
  },
  {
    name: "a page that comes back from the back/forward cache is a view again",
    actions: async (tab) => {
      await run(tab, `addEventListener("pageshow", (event) => event.persisted && tallyhouse("Back"))`);
      await follow(tab, "/pricing.html");
      await run(tab, `setTimeout(() => history.back())`);
      await rig.got("Back");
      await rig.got("pageview", 3);
    },
    expected: [
      event("Back"),
      view("/", { r: "" }),
      view("/", { r: "http://site.test/" }),
      view("/pricing.html", { r: "http://site.test/" }),
    ],
    check: () => assert.ok(rig.named("engagement").every((post) => post.body.e >= 99)),
  },
  {
    name: "a page that is left at once still counts",
    pages: {
      "/": ({ script }) =>
        `<!doctype html><script src="${script}" data-local></script><script>location.replace("/gone")</script>`,
      "/gone": bare,
    },
    start: null,
    actions: async (tab) => {
      await tab.goto(`${rig.origin()}/`).catch(() => {});
      await rig.got("pageview");
    },
    expected: [view("/")],
  },
  {
    name: "a fetch that throws is followed by a beacon",
    before: (tab) =>
      tab.addInitScript(() => {
        window.fetch = () => {
          throw new Error("blocked");
        };
      }),
    actions: () => rig.got("pageview"),
    expected: [view("/")],
  },
  {
    name: "a fetch that is refused by policy is followed by a beacon",
    before: (tab) => tab.addInitScript(() => (window.fetch = () => Promise.reject(new TypeError("blocked")))),
    actions: () => rig.got("pageview"),
    expected: [view("/")],
    check: () => assert.match(rig.posts[0]?.type ?? "", /^text\/plain/),
  },
  ...[503, 429].map((status) => ({
    name: `a hit refused with ${status} is sent once more, with the same id`,
    answers: [{ status, headers: { "retry-after": "1" } }],
    actions: () => rig.got("pageview", 2),
    expected: [view("/"), view("/")],
    check: () => assert.equal(rig.posts[0]?.body.k, rig.posts[1]?.body.k),
  })),
  {
    name: "a hit that is refused twice is given up",
    answers: [
      { status: 503, headers: { "retry-after": "1" } },
      { status: 503, headers: { "retry-after": "1" } },
    ],
    actions: async (tab) => {
      await rig.got("pageview", 2);
      // Longer than the second refusal asked for: the wait of a hit that is refused after it.
      rig.answers = [{ status: 503, headers: { "retry-after": "2" } }];
      await run(tab, `tallyhouse("Later")`);
      await rig.got("Later", 2);
    },
    expected: [event("Later"), event("Later"), view("/"), view("/")],
  },
  {
    name: "a lost connection is tried once more, with the same id",
    answers: ["reset"],
    actions: () => rig.got("pageview", 2),
    check: () => assert.equal(new Set(rig.named("pageview").map((post) => post.body.k)).size, 1),
  },
  {
    name: "a hit the server calls wrong is not repeated",
    answers: [{ status: 400 }],
    actions: async (tab) => {
      rig.answers = [{ status: 503, headers: { "retry-after": "2" } }];
      await run(tab, `tallyhouse("Later")`);
      await rig.got("Later", 2);
    },
    expected: [event("Later"), event("Later"), view("/")],
  },
  {
    name: "a strict policy and the hash of the script are met",
    pages: {
      "/": ({ script, stats }) => ({
        csp: `default-src 'none'; script-src ${stats}; connect-src ${stats}; img-src data:`,
        html: `${bare()}<script async src="${script}" data-local crossorigin="anonymous"
          integrity="sha384-${createHash("sha384").update(tracker()).digest("base64")}"></script>`,
      }),
    },
    actions: () => rig.got("pageview"),
    expected: [view("/")],
  },
  {
    name: "a frame counts as its own page if it holds the tracker",
    pages: {
      "/": page(`<iframe src="/with"></iframe><iframe src="/without"></iframe>
        <iframe src="/sandboxed" sandbox="allow-scripts"></iframe>`),
      "/with": page(""),
      "/without": bare,
      "/sandboxed": page(""),
    },
    actions: () => rig.got("pageview", 3),
    expected: [view("/"), view("/sandboxed"), view("/with")],
  },
  {
    name: "several domains are sent as written, and the host without any",
    golden: "domains",
    pages: {
      "/": page("", { domain: "site.test,all.test" }),
      "/next": page(""),
    },
    actions: async (tab) => {
      await tab.goto(`${rig.origin()}/next`);
      await rig.got("pageview", 2);
    },
    expected: [view("/", { d: "site.test,all.test" }), view("/next", { d: "site.test" })],
  },
  {
    name: "data-api chooses where to post",
    pages: { "/": page("", { api: "/stats/event" }) },
    expected: [view("/")],
    check: () => {
      assert.equal(rig.posts[0]?.host, "site.test");
      assert.equal(rig.posts[0]?.path, "/stats/event");
    },
  },
  {
    name: "elements named like the globals do no harm",
    pages: {
      "/": ({ script }) =>
        `${bare()}<form id="tallyhouse" name="plausible"></form><script src="${script}" data-local></script>`,
    },
    actions: (tab) => run(tab, `history.pushState(null, "", "/next")`),
    expected: [view("/"), view("/next")],
  },
  {
    name: "robots are left out",
    pages: { "/": page("", { local: false }), "/counted": page("") },
    start: null,
    actions: async (tab) => {
      await tab.goto(`${rig.origin()}/`, { waitUntil: "load" });
      await tab.goto(`${rig.origin()}/counted`);
      await rig.got("pageview");
    },
    expected: [view("/counted")],
  },
];

describe("tracker", () => {
  before(async () => {
    rig = await Rig.start();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await rig?.close();
  });

  for (const one of CASES) test(one.name, () => within(one));

  test("the time a page was visible is reported once for each page", async () => {
    const { tab, done } = await open({ "/bare": bare });
    await tab.goto(`${rig.origin()}/spa.html`);
    await rig.got("pageview");
    await tab.waitForFunction(() => performance.now() > 400);
    await tab.click("text=Settings");
    const [first] = await rig.got("engagement");
    const most = await tab.evaluate(() => performance.now());
    assert.equal(new URL(first?.body.u).pathname, "/spa.html");
    assert.ok(first?.body.e > 100 && first.body.e < most, `${first?.body.e} of ${most} ms`);
    assert.ok(Number.isInteger(first?.body.e));

    await tab.waitForFunction((since) => performance.now() > since + 200, most);
    await tab.goto(`${rig.origin()}/bare`);
    await rig.got("engagement", 2);
    await tab.goto(`${rig.origin()}/docs/`);
    await rig.got("pageview", 3);
    assert.deepEqual(
      rig.named("engagement").map((post) => new URL(post.body.u).pathname),
      ["/spa.html", "/spa/settings"],
    );
    golden("engagement", rig.hits((hit) => hit.n === "engagement"));
    await done();
  });

  test("nothing is kept in the browser", async () => {
    const { tab, done } = await open({});
    await tab.goto(`${rig.origin()}/`);
    await rig.got("pageview");
    const kept = await tab.evaluate(async () => [
      document.cookie,
      localStorage.length,
      sessionStorage.length,
      (await indexedDB.databases()).length,
      window.name,
    ]);
    assert.deepEqual(kept, ["", 0, 0, 0, ""]);
    assert.deepEqual(await tab.context().cookies(), []);
    await done();
  });
});

/** A new profile with one tab. `done` closes it and fails on any error of a page or foreign host. */
async function open(/** @type {Record<string, import("./rig.mjs").Page>} */ pages) {
  rig.reset(pages);
  const context = await browser.newContext();
  const tab = await context.newPage();
  /** @type {string[]} */
  const errors = [];
  tab.on("pageerror", (error) => errors.push(String(error)));
  tab.on("console", (message) => {
    // Chromium reports refused and lost posts itself.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      errors.push(message.text());
  });
  /** @type {Set<string>} */
  const hosts = new Set();
  context.on("request", (request) => hosts.add(new URL(request.url()).hostname));
  const done = async () => {
    await context.close();
    assert.deepEqual(errors, []);
    for (const host of hosts) assert.match(host, /^(|(site|stats|other)\.test)$/);
  };
  return { tab, done };
}

async function within(/** @type {Case} */ one) {
  const { tab, done } = await open(one.pages ?? {});
  try {
    await play(one, tab);
  } finally {
    await done();
  }
}

async function play(/** @type {Case} */ one, /** @type {Tab} */ tab) {
  rig.answers = [...(one.answers ?? [])];
  await one.before?.(tab);
  if (one.start !== null) {
    await tab.goto(`${rig.origin()}${one.start ?? "/"}`);
    await rig.got("pageview");
  }
  await one.actions?.(tab);
  // What was to come before is under way once this is here.
  if (await tab.evaluate(`typeof tallyhouse === "function"`)) {
    await run(tab, `tallyhouse("end")`);
    await rig.got("end");
  }
  const hits = rig.hits((hit) => hit.n !== "engagement" && hit.n !== "end");
  if (one.expected) {
    assert.equal(hits.length, one.expected.length, JSON.stringify(hits, null, 1));
    one.expected.forEach((fields, i) => {
      for (const [name, value] of Object.entries(fields)) assert.deepEqual(hits[i][name], value);
    });
  }
  if (one.golden) golden(one.golden, hits);
  await one.check?.(tab);
}
