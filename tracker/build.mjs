// Minifies src/tracker.js to dist/, also precompressed, prints the sizes, and fails over budget.
// The same source gives the same bytes: no names of files, no times, pinned tools.
// @ts-check
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { minify } from "terser";
import { brotli, gzip, report } from "../ci/sizes.mjs";

const at = (/** @type {string} */ path) => new URL(path, import.meta.url);

const { code } = await minify(readFileSync(at("src/tracker.js"), "utf8"), {
  ecma: 2020,
  toplevel: true,
  compress: { passes: 3, unsafe_arrows: true, unsafe_methods: true, pure_getters: true },
  format: { ecma: 2020, comments: false },
});
if (!code) throw new Error("src/tracker.js: the minifier gave no code");

const bytes = Buffer.from(code);
mkdirSync(at("dist"), { recursive: true });
writeFileSync(at("dist/tracker.js"), bytes);
writeFileSync(at("dist/tracker.js.gz"), gzip(bytes));
writeFileSync(at("dist/tracker.js.br"), brotli(bytes));
if (!report(["tracker"])) process.exitCode = 1;
