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
    "--remote-debugging-port=0",
    // The port would make it say that it is driven.
    "--disable-blink-features=AutomationControlled",
  ];
  const child = spawn(CHROMIUM, [...flags, url], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  const devtools = await new Promise((resolve, reject) => {
    let said = "";
    child.on("error", reject);
    child.on("exit", () => reject(new Error(`${CHROMIUM} ended at its start: ${said}`)));
    child.stderr.on("data", (data) => {
      const line = /listening on ws:\/\/([^/]+)\//.exec((said += data));
      if (line) resolve(`http://${line[1]}`);
    });
  });
  return {
    /** Opens another tab. @param {string} url */
    async tab(url) {
      await fetch(`${devtools}/json/new?${url}`, { method: "PUT" });
    },
    /** Brings the tab that shows this address to the front. @param {string} url */
    async show(url) {
      const tabs = await (await fetch(`${devtools}/json/list`)).json();
      const tab = tabs.find((/** @type {{url: string}} */ tab) => tab.url === url);
      if (!tab) throw new Error(`no tab shows ${url}`);
      await fetch(`${devtools}/json/activate/${tab.id}`);
    },
    async close() {
      // Its own process group: the launcher, the browser and what they started.
      if (child.pid && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
      await exited;
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
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
