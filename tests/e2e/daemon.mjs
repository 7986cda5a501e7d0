// The built program, started as an operator would start it, in a directory of its own.
// @ts-check
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROGRAM = resolve(ROOT, process.env.TALLYHOUSE_BIN ?? "target/debug/tallyhouse");
const LIBRARY = resolve(ROOT, process.env.TALLYHOUSE_ENGINE_LIBRARY ?? ".cache/engine/libchdb.so");
const DEADLINE_MS = 30_000;

/**
 * Waits for a condition, and gives what it gave.
 * @template T
 * @param {string} what
 * @param {() => Promise<T | undefined | false>} condition
 * @param {() => string} [told]  what to say when it was in vain
 */
export async function until(what, condition, told = () => "") {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > end) assert.fail(`waited in vain for ${what}\n${told()}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** A port that was free a moment ago. @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}

/** One data directory and the daemon that runs in it, again and again at the same address. */
export class Daemon {
  #dir = mkdtempSync(join(tmpdir(), "tallyhouse-e2e-"));
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;
  #port = 0;
  #metrics = 0;
  /** What it printed, for the operator's eyes. */
  printed = "";
  /** What it logged. */
  log = "";

  get origin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts and waits until it takes hits. @param {string[]} [flags] */
  async start(flags = []) {
    for (const file of [PROGRAM, LIBRARY]) assert.ok(existsSync(file), `${file} is missing: run \`make engine\` and \`cargo build\``);
    this.#port ||= await freePort();
    this.#metrics ||= await freePort();
    const listen = ["--listen", `127.0.0.1:${this.#port}`, "--metrics-listen", `127.0.0.1:${this.#metrics}`];
    const child = spawn(PROGRAM, ["serve", ...listen, ...flags], {
      env: this.#env(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    child.stdout.on("data", (data) => (this.printed += data));
    child.stderr.on("data", (data) => (this.log += data));
    await until("the daemon to be ready", async () => {
      assert.equal(child.exitCode, null, `it ended at once:\n${this.log}`);
      return fetch(`${this.origin}/readyz`).then(({ ok }) => ok, () => false);
    }, () => this.log);
  }

  /** SIGTERM, and its exit code. */
  async stop() {
    const child = this.#child;
    if (!child) return undefined;
    this.#child = undefined;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      const stubborn = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
      await once(child, "exit");
      clearTimeout(stubborn);
    }
    return child.exitCode ?? child.signalCode;
  }

  /** Stops it and removes its data. */
  async end() {
    await this.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** One number of the metrics page. @param {string} name */
  async metric(name) {
    const page = await (await fetch(`http://127.0.0.1:${this.#metrics}/metrics`)).text();
    const line = page.split("\n").find((line) => line.startsWith(`${name} `));
    return Number(line?.slice(name.length) ?? 0);
  }

  /** Waits until every hit that was answered 202 is in ClickHouse. */
  async drained() {
    await until("the log to drain", async () => (await this.metric("tallyhouse_pending")) === 0, () => this.log);
  }

  /**
   * The rows that `tallyhouse sql` prints.
   * @param {string} query
   * @returns {Promise<any[]>}
   */
  async sql(query) {
    const args = ["sql", query, "--format", "JSONEachRow"];
    const { stdout } = await promisify(execFile)(PROGRAM, args, { env: this.#env() });
    return stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  #env() {
    // Nothing of the shell's own settings but these.
    return { PATH: process.env.PATH, TALLYHOUSE_DATA_DIR: this.#dir, TALLYHOUSE_ENGINE_LIBRARY: LIBRARY };
  }
}
