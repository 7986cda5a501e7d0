// The tracker in a Chromium that nothing drives: what a visitor's browser does by itself, and tests
// under automation cannot have. The pages act on their own.
// @ts-check
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { browse, snippet } from "./browser.mjs";
import { Rig } from "./rig.mjs";

/** @type {Rig} */
let rig;
/** @type {Awaited<ReturnType<typeof browse>> | undefined} */
let visitor;

const ICON = `<!doctype html><link rel="icon" href="data:,">`;
/** A page with the tracker as a site has it: no data-local. */
const page = (/** @type {string} */ body) =>
  /** @type {import("./rig.mjs").Page} */ (({ script }) => `${ICON}${snippet({ script })}${body}`);
const prerender = `<script type="speculationrules">
  {"prerender": [{"urls": ["/next"], "eagerness": "immediate"}]}</script>`;
/** Goes on once the prerendered page has run. */
const follow = (/** @type {string} */ path) => `<script>
  (async () => {
    while (!(await fetch("/has-run")).ok) await new Promise((done) => setTimeout(done, 20));
    location.href = "${path}";
  })();
</script>`;
const early = `<script>
  tallyhouse("Early");
  addEventListener("load", () => fetch("/runs"));
</script>`;
/** Tells each time the page was visible for long enough to be reported. */
const shown = `<script>
  const tell = () => document.hidden || setTimeout(() => fetch("/shown"), 200);
  addEventListener("visibilitychange", tell);
  tell();
</script>`;
/** Where the page of `early` tells, and that of `follow` asks. */
const telling = () => {
  let runs = false;
  return {
    "/runs": () => ((runs = true), ""),
    "/has-run": () => (runs ? "yes" : /** @type {any} */ (undefined)),
  };
};

const seen = () => rig.pages.filter((path) => !/^\/(runs|has-run)/.test(path));
const paths = (/** @type {string} */ name) =>
  rig.named(name).map((post) => new URL(post.body.u).pathname);

describe("tracker and visitor", () => {
  before(async () => {
    rig = await Rig.start();
  });
  afterEach(async () => {
    await visitor?.close();
    visitor = undefined;
    assert.deepEqual(
      [...rig.hosts].filter((host) => !/^((site|stats)\.test|localhost|127\.0\.0\.1)$/.test(host)),
      [],
    );
  });
  after(() => rig?.close());

  test("a prerendered page counts once, when it is shown", async () => {
    rig.reset({
      ...telling(),
      "/": page(prerender + follow("/next")),
      "/next": page(early),
    });
    visitor = await browse(`${rig.origin()}/`);
    await rig.got("pageview", 2);
    await rig.got("Early");
    assert.deepEqual(seen(), ["/", "/next prefetch;prerender"], "it was shown, not loaded again");
    assert.deepEqual(paths("pageview"), ["/", "/next"]);
    // The server drops what a page posts while it is prerendered.
    assert.deepEqual(rig.posts.filter((post) => post.purpose), []);
  });

  test("a prerendered page that is not shown does not count, and neither do its events", async () => {
    rig.reset({
      ...telling(),
      "/": page(prerender + follow("/other")),
      "/next": page(early),
      "/other": page(`<script>tallyhouse("Other")</script>`),
    });
    visitor = await browse(`${rig.origin()}/`);
    await rig.got("Other");
    assert.deepEqual(seen(), ["/", "/next prefetch;prerender", "/other"]);
    assert.deepEqual(paths("pageview"), ["/", "/other"]);
    assert.deepEqual(rig.named("Early"), []);
  });

  test("a background tab counts when it is first shown, and time stops while it is hidden", async () => {
    const behind = `${rig.origin()}/behind`;
    rig.reset({
      ...telling(),
      "/shown": () => "",
      "/": page(shown),
      "/behind": page(shown + early),
    });
    let times = 0;
    const wasShown = () => {
      times += 1;
      const told = () => rig.pages.filter((path) => path === "/shown").length;
      return rig.until(`tab ${times} to be shown`, () => told() >= times);
    };
    visitor = await browse(`${rig.origin()}/`);
    await rig.got("pageview");
    await wasShown();
    await visitor.tab(behind);
    await rig.until("the page behind", () => rig.pages.includes("/runs"));
    assert.deepEqual(paths("pageview"), ["/"]);
    assert.deepEqual(rig.named("Early"), []);

    await visitor.show(behind);
    await rig.got("Early");
    assert.deepEqual(paths("pageview"), ["/", "/behind"]);
    await rig.got("engagement");
    await wasShown();

    // Shown again it is the same view, and its time goes on from nought.
    await visitor.show(`${rig.origin()}/`);
    await rig.got("engagement", 2);
    await wasShown();
    await visitor.show(behind);
    await rig.got("engagement", 3);
    assert.deepEqual(paths("engagement"), ["/", "/behind", "/"]);
    assert.deepEqual(paths("pageview"), ["/", "/behind"]);
  });

  test("a developer's own machine is left out", async () => {
    const port = new URL(rig.origin()).port;
    const go = (/** @type {string} */ url) =>
      page(`<script>addEventListener("load", () => (location.href = "${url}"))</script>`);
    rig.reset({
      "/1": go(`http://127.0.0.1:${port}/2`),
      "/2": go(`${rig.origin()}/3`),
      "/3": page(""),
    });
    visitor = await browse(`http://localhost:${port}/1`);
    await rig.got("pageview");
    assert.deepEqual(seen(), ["/1", "/2", "/3"]);
    assert.deepEqual(paths("pageview"), ["/3"]);
  });
});
