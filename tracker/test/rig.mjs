// A web server that plays every host of a test: it hands out pages and the tracker, and keeps what is
// posted. Pages are on site.test, the tracker and the collector on stats.test, as in earnest.
// @ts-check
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { close, listen, port, sitePage, snippet, tracker } from "./browser.mjs";

const GOLDEN = new URL("../../tests/golden/payload/", import.meta.url);
const DEADLINE_MS = 20_000;
/** Two numbers of Math.random. */
const ID = /^(0|[\d.]+(e-\d+)?),(0|[\d.]+(e-\d+)?)$/;

/**
 * @typedef {{host: string, path: string, type: string, purpose?: string, body: any}} Post
 * @typedef {(html: {script: string, origin: string, stats: string}) => string | {html: string, csp: string}} Page
 * @typedef {{status: number, headers?: Record<string, string>} | "reset"} Answer
 */
export class Rig {
  /** @type {Post[]} */
  posts = [];
  /** Hosts that were asked for anything. @type {Set<string>} */
  hosts = new Set();
  /** Paths of the pages handed out, with the purpose of the request if it had one. @type {string[]} */
  pages = [];
  /** Answers to the next posts; then 202. @type {Answer[]} */
  answers = [];
  /** @type {Record<string, Page>} */
  extra = {};
  #server = createServer((request, response) => this.#serve(request, response));

  static async start() {
    const rig = new Rig();
    await listen(rig.#server);
    return rig;
  }

  /** Forgets the last test. @param {Record<string, Page>} [pages]  instead of or beside the demo site's */
  reset(pages = {}) {
    this.posts = [];
    this.hosts = new Set();
    this.pages = [];
    this.answers = [];
    this.extra = pages;
  }

  origin(host = "site.test") {
    return `http://${host}:${port(this.#server)}`;
  }

  get script() {
    return `${this.origin("stats.test")}/tracker.js`;
  }

  close() {
    return close(this.#server);
  }

  /**
   * Waits for a condition on what was posted or asked for so far.
   * @param {string} what
   * @param {() => unknown} condition
   */
  async until(what, condition) {
    const end = Date.now() + DEADLINE_MS;
    while (!condition()) {
      if (Date.now() > end) assert.fail(`waited in vain for ${what}; got ${this.#told()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Waits for so many posts of a name. @param {string} name @param {number} [count] */
  async got(name, count = 1) {
    await this.until(`${count} ${name}`, () => this.named(name).length >= count);
    return this.named(name);
  }

  /** @param {string} name */
  named(name) {
    return this.posts.filter((post) => post.body.n === name);
  }

  /**
   * The hits without what differs from run to run, sorted. Checks what it takes away.
   * @param {(hit: any) => boolean} keep
   */
  hits(keep) {
    const ids = this.posts.map((post) => post.body.k);
    for (const id of ids) assert.match(id, ID);
    const plain = (/** @type {string} */ text) => text.replace(/^(http:\/\/[^/:]+):\d+/, "$1");
    const hits = this.posts
      .map((post) => post.body)
      .filter(keep)
      .map((hit) => {
        const same = { ...hit, u: plain(hit.u), k: "0.1234567890123456,0.6543210987654321" };
        if (hit.r) same.r = plain(hit.r);
        if (hit.e !== undefined) same.e = 1234;
        return same;
      });
    return hits.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }

  #told() {
    return JSON.stringify({ posts: this.posts.map((post) => post.body), pages: this.pages });
  }

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   */
  async #serve(request, response) {
    const host = (request.headers.host ?? "").split(":")[0] ?? "";
    const path = new URL(request.url ?? "/", "http://any").pathname;
    this.hosts.add(host);
    if (request.method === "POST") return this.#collect(host, path, request, response);
    if (path === "/tracker.js") {
      const headers = { "content-type": "text/javascript", "access-control-allow-origin": "*" };
      return response.writeHead(200, headers).end(tracker());
    }
    const names = { script: this.script, origin: this.origin(), stats: this.origin("stats.test") };
    const tag = snippet({ script: this.script, domain: "site.test", local: true });
    const made = this.extra[path]?.(names) ?? sitePage(path)?.replace("<!-- tracker -->", tag);
    if (made === undefined) return response.writeHead(404).end();
    this.pages.push([path, request.headers["sec-purpose"]].filter(Boolean).join(" "));
    const { html, csp } = typeof made === "string" ? { html: made, csp: "" } : made;
    response.setHeader("content-type", "text/html; charset=utf-8");
    if (csp) response.setHeader("content-security-policy", csp);
    response.end(html);
  }

  /**
   * @param {string} host
   * @param {string} path
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   */
  async #collect(host, path, request, response) {
    let text = "";
    for await (const part of request) text += part;
    const { "content-type": type = "", "sec-purpose": purpose } = request.headers;
    this.posts.push({ host, path, type, purpose: purpose?.toString(), body: JSON.parse(text) });
    const answer = this.answers.shift() ?? { status: 202 };
    if (answer === "reset") return request.socket.destroy();
    response.writeHead(answer.status, {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "retry-after",
      ...answer.headers,
    });
    response.end();
  }
}

/**
 * Compares with tests/golden/payload/NAME.json, which the server's tests parse; UPDATE_GOLDEN=1 writes it.
 * @param {string} name
 * @param {unknown[]} hits
 */
export function golden(name, hits) {
  const file = new URL(`${name}.json`, GOLDEN);
  const text = `${JSON.stringify(hits, null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(GOLDEN, { recursive: true });
    writeFileSync(file, text);
  }
  assert.ok(existsSync(file), `${name}.json is missing; run with UPDATE_GOLDEN=1 to write it`);
  assert.equal(text, readFileSync(file, "utf8"));
}
