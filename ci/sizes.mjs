// The size gates: every group of budgets.json, by what its files weigh together and by what they may
// not say. `node ci/sizes.mjs [group…]` prints a line a group and fails if one is over.
//
// A group is {files, raw_bytes_max?, gzip_bytes_max?, brotli_bytes_max?, forbidden?}. A file's last part
// may hold `*` (hashed names: "web/dist/assets/*.js"); a pattern that finds nothing fails, as a gate
// that measures nothing would always be open. Compressed sizes are sums over the files, each alone,
// since that is how they are sent: gzip -9, brotli 11.
// @ts-check
import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The operating system's byte of a gzip header, and "unknown". */
const GZIP_SYSTEM_AT = 9;
const GZIP_SYSTEM_UNKNOWN = 255;

/** @param {Buffer} bytes  the same bytes out for the same bytes in, on every system */
export function gzip(bytes) {
  const packed = gzipSync(bytes, { level: 9 });
  packed[GZIP_SYSTEM_AT] = GZIP_SYSTEM_UNKNOWN;
  return packed;
}

/** @param {Buffer} bytes */
export function brotli(bytes) {
  return brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}

/**
 * @typedef {{files: string[], raw_bytes_max?: number, gzip_bytes_max?: number,
 *            brotli_bytes_max?: number, forbidden?: string[]}} Budget
 * @typedef {{line: string, problems: string[]}} Verdict
 */

/**
 * Measures one group.
 * @param {string} name  as in budgets.json
 * @param {Budget} [budget]
 * @returns {Verdict}
 */
export function check(name, budget = budgets()[name]) {
  if (!budget) return { line: "", problems: [`${name}: budgets.json has no such group`] };
  /** @type {string[]} */
  const problems = [];
  const files = budget.files.flatMap((pattern) => {
    const found = expand(pattern);
    if (!found.length) problems.push(`${name}: no file ${pattern}; build it first`);
    return found;
  });
  const size = { raw: 0, gzip: 0, brotli: 0 };
  for (const file of files) {
    const bytes = readFileSync(join(ROOT, file));
    size.raw += bytes.length;
    size.gzip += gzip(bytes).length;
    size.brotli += brotli(bytes).length;
    const text = bytes.toString().toLowerCase();
    for (const token of budget.forbidden ?? [])
      if (text.includes(token.toLowerCase())) problems.push(`${file}: holds the forbidden ${token}`);
  }
  for (const kind of /** @type {const} */ (["raw", "gzip", "brotli"])) {
    const most = budget[`${kind}_bytes_max`];
    if (most !== undefined && size[kind] > most)
      problems.push(`${name}: ${size[kind]} bytes ${kind}, ${size[kind] - most} over the budget of ${most}`);
  }
  const part = (/** @type {"raw" | "gzip" | "brotli"} */ kind) => {
    const most = budget[`${kind}_bytes_max`];
    return `${kind} ${size[kind]}${most === undefined ? "" : ` of ${most}`}`;
  };
  return { line: `${name}: ${part("raw")}, ${part("gzip")}, ${part("brotli")} bytes`, problems };
}

/** @returns {Record<string, Budget>} */
function budgets() {
  return JSON.parse(readFileSync(join(ROOT, "ci/budgets.json"), "utf8"));
}

/** @param {string} pattern  relative to the root; `*` in its last part only */
function expand(pattern) {
  const folder = dirname(pattern);
  const parts = basename(pattern).split("*").map((part) => part.replace(/[^\w-]/g, "\\$&"));
  const whole = new RegExp(`^${parts.join(".*")}$`);
  try {
    const names = readdirSync(join(ROOT, folder)).sort();
    return names.filter((name) => whole.test(name)).map((name) => join(folder, name));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return [];
    throw error;
  }
}

/** Prints the verdicts and says whether all is well. @param {string[]} names */
export function report(names) {
  const verdicts = names.map((name) => check(name));
  for (const { line } of verdicts) if (line) console.log(line);
  const problems = verdicts.flatMap((verdict) => verdict.problems);
  for (const problem of problems) console.error(`error: ${problem}`);
  return problems.length === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  if (!report(names.length ? names : Object.keys(budgets()))) process.exitCode = 1;
}
