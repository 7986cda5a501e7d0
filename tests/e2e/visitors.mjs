// Who comes to the site and what each of them does, step by step. A visitor is told apart by the user agent.
// In all: 4 visits, 9 page views, each looked at, 3 custom events, 2 bounces.
// @ts-check
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { close, listen, port } from "../../tracker/test/browser.mjs";

/** @typedef {import("playwright-core").Page} Page */

const DESKTOP = { viewport: { width: 1600, height: 900 }, locale: "en-GB" };

/**
 * Notes what a page does wrong: errors, and requests to hosts other than these.
 * @param {Page} page
 * @param {string[]} origins
 * @param {string[]} wrong
 */
export function watch(page, origins, wrong) {
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith("http") && !origins.some((known) => origin === known || origin.startsWith(`${known}:`)))
      wrong.push(`asked ${request.url()}`);
  });
}

/** Looks at the page for longer than the tenth of a second below which no time is reported. @param {Page} page */
const look = (page) => page.evaluate("new Promise((done) => setTimeout(done, 150))");

/** Does something that leads to one hit, waits until that is answered, and looks at what there is. */
const answered = async (/** @type {Page} */ page, /** @type {() => Promise<unknown>} */ act) => {
  const [response] = await Promise.all([
    page.waitForResponse((response) => {
      const asked = response.request();
      return asked.method() === "POST" && asked.postDataJSON().n !== "engagement";
    }),
    act(),
  ]);
  assert.equal(response.status(), 202);
  await look(page);
};

export const VISITORS = [
  {
    name: "reads several pages and signs up",
    agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    context: DESKTOP,
    visit: async (/** @type {Page} */ page, /** @type {string} */ site) => {
      await answered(page, () => page.goto(`${site}/`));
      await answered(page, () => page.getByRole("link", { name: "Pricing" }).click());
      await answered(page, () => page.getByRole("button", { name: "Sign up" }).click());
      await answered(page, () => page.getByRole("link", { name: "Docs" }).click());
      await answered(page, () => page.getByRole("link", { name: "Install" }).click());
    },
  },
  {
    name: "follows a link of a blog into the app and stays on its one page",
    agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
    context: DESKTOP,
    visit: async (/** @type {Page} */ page, /** @type {string} */ site) => {
      const blog = createServer((_, response) => response
        .writeHead(200, { "content-type": "text/html" })
        .end(`<!doctype html><link rel="icon" href="data:,"><a href="${site}/spa.html">An app I like</a>`));
      await listen(blog);
      try {
        await page.goto(`http://blog.test:${port(blog)}/post`);
        await answered(page, () => page.getByRole("link").click());
        await answered(page, () => page.getByRole("button", { name: "Settings" }).click());
        // A new query is no new page.
        await page.getByRole("button", { name: "Keys" }).click();
        await page.goBack();
        await answered(page, () => page.goBack());
        assert.equal(new URL(page.url()).pathname, "/spa.html");
        await answered(page, () => page.evaluate(`
          tallyhouse("Signup", { props: { plan: "solo", seats: 3 }, revenue: { currency: "USD", amount: "10.50" } })`));
      } finally {
        await close(blog);
      }
    },
  },
  {
    name: "opens a link of a newsletter on a phone and leaves",
    context: {
      viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 3, locale: "de-DE",
    },
    agent: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
    visit: async (/** @type {Page} */ page, /** @type {string} */ site) => {
      const tags = "utm_source=newsletter&utm_medium=email&utm_campaign=autumn";
      await answered(page, () => page.goto(`${site}/?${tags}#top`));
    },
  },
  {
    name: "comes from a search engine, scrolls and leaves",
    agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
    context: { ...DESKTOP, viewport: { width: 1280, height: 800 } },
    visit: async (/** @type {Page} */ page, /** @type {string} */ site) => {
      await answered(page, () => page.goto(`${site}/pricing.html`, { referer: "https://www.google.com/" }));
      await answered(page, () => page.evaluate(`tallyhouse("Scrolled", { interactive: false })`));
    },
  },
];
