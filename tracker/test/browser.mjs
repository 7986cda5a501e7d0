// What a test in a real browser needs: Chromium, with and without automation, and the demo site.
// The end-to-end test uses the same helpers against the real daemon.
// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const SITE = fileURLToPath(new URL("site/", import.meta.url));
const TRACKER = new URL("../dist/tracker.js", import.meta.url);
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8" };

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Names under .test are this machine, and nothing else is anywhere.
  "--host-resolver-rules=MAP *.test 127.0.0.1,MAP * ~NOTFOUND,EXCLUDE 127.0.0.1,EXCLUDE localhost",
];

/** The tracker as it is served. */
export const tracker = () => readFileSync(TRACKER);

/**
 * Starts Chromium under automation, with a new profile. `navigator.webdriver` is true there, so pages
 * need `data-local`; and no page is prerendered.
 * @param {import("playwright-core").LaunchOptions} [options]
 */
export function launch(options) {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: FLAGS,
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
    ...options,
  });
}

/**
 * Opens the address in a Chromium that nothing drives, as a visitor has it: prerendering and
 * background tabs are real there. Close it when done.
 * @param {string} url
 */
export async function browse(url) {
  const profile = mkdtempSync(join(tmpdir(), "tallyhouse-chromium-"));
  const flags = [
    ...FLAGS,
    "--disable-features=HttpsUpgrades",
    `--user-data-dir=${profile}`,
    "--remote-debugging-pipe",
    // The pipe would make it say that it is driven.
    "--disable-blink-features=AutomationControlled",
  ];
  const child = spawn(CHROMIUM, [...flags, url], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const ask = commands(child);
  const find = async (/** @type {string} */ shown) => {
    const { targetInfos } = await ask("Target.getTargets");
    return targetInfos.find((/** @type {any} */ target) => target.url === shown)?.targetId;
  };
  return {
    /** Opens another tab behind the others. @param {string} url */
    tab: (url) => ask("Target.createTarget", { url, background: true }),
    /** Brings the tab that shows this address to the front. @param {string} url */
    show: async (url) => ask("Target.activateTarget", { targetId: await find(url) }),
    async close() {
      // Its own process group: the launcher, the browser and what they started.
      if (child.pid && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
      await exited;
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}

/**
 * Chromium's own pipe: JSON and a zero byte each way. It moves tabs and is attached to no page, so no
 * page behaves otherwise for it.
 * @param {import("node:child_process").ChildProcess} child
 * @returns {(method: string, params?: object) => Promise<any>}
 */
function commands(child) {
  const to = /** @type {import("node:stream").Writable} */ (child.stdio[3]);
  const from = /** @type {import("node:stream").Readable} */ (child.stdio[4]);
  /** @type {Map<number, (answer: any) => void>} */
  const waiting = new Map();
  let asked = 0;
  let text = "";
  from.on("data", (data) => {
    const answers = (text += data).split("\0");
    text = answers.pop() ?? "";
    for (const answer of answers.map((one) => JSON.parse(one))) waiting.get(answer.id)?.(answer);
  });
  // A browser that is gone: its end is noticed by who waits for it.
  to.on("error", () => {});
  return async (method, params = {}) => {
    const id = ++asked;
    /** @type {Promise<any>} */
    const answered = new Promise((resolve) => waiting.set(id, resolve));
    to.write(`${JSON.stringify({ id, method, params })}\0`);
    const { result, error } = await answered;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
}

/**
 * Serves the demo site: `/`, `/pricing.html` and `/docs/` of several pages, `/spa.html` of one. Also
 * `/tracker.js`, for when no daemon serves it.
 * @param {object} options
 * @param {string} options.domain  `data-domain`
 * @param {string} [options.api]  `data-api`; by default what the tracker derives from `script`
 * @param {string} [options.script]  address of the tracker, such as the daemon's
 * @param {string} [options.host]  name the site goes by; `*.test` is this machine
 */
export async function serveSite({ domain, api, script = "/tracker.js", host = "site.test" }) {
  const tag = snippet({ script, domain, api, local: true });
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://site").pathname;
    if (path === "/tracker.js")
      return response.writeHead(200, { "content-type": TYPES[".js"] }).end(tracker());
    const file = sitePage(path);
    if (file === undefined) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[".html"] });
    response.end(file.replace("<!-- tracker -->", tag));
  });
  await listen(server);
  return { origin: `http://${host}:${port(server)}`, close: () => close(server) };
}

/**
 * The lines a site puts in its head.
 * @param {{script: string, domain?: string, api?: string, local?: boolean}} options
 */
export function snippet({ script, domain, api, local }) {
  const attributes = [
    `src="${script}"`,
    domain && `data-domain="${domain}"`,
    api && `data-api="${api}"`,
    local && "data-local",
  ];
  return `<script async ${attributes.filter(Boolean).join(" ")}></script>${STUB}`;
}

/** Keeps what the page reports until the tracker is there. */
export const STUB =
  "<script>window.tallyhouse=window.tallyhouse||function(){(tallyhouse.q=tallyhouse.q||[]).push(arguments)}</script>";

/** @param {string} path */
export function sitePage(path) {
  const name = path.endsWith("/") ? `${path}index.html` : path;
  if (extname(name) !== ".html" || name.includes("..")) return undefined;
  try {
    return readFileSync(join(SITE, name), "utf8");
  } catch {
    return undefined;
  }
}

/** @param {import("node:http").Server} server */
export async function listen(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

/** @param {import("node:http").Server} server */
export function port(server) {
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("the server does not listen");
  return address.port;
}

/** @param {import("node:http").Server} server */
export async function close(server) {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}
