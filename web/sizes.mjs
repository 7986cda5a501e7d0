// Weighs what was built, as it is sent: gzip. Fails when something is over its budget.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const KIB = 1024;
const dist = new URL('./dist/', import.meta.url);
const weigh = (path) => gzipSync(readFileSync(new URL(path, dist)), { level: 9 }).length;
const assets = readdirSync(new URL('assets/', dist)).map((name) => `assets/${name}`);
const html = readFileSync(new URL('index.html', dist), 'utf8');
const isInitial = (path) => html.includes(`/${path}`);
const scripts = assets.filter((path) => path.endsWith('.js'));
const named = (...names) => (path) => names.some((name) => path.startsWith(`assets/${name}-`));

const budgets = [
  ['initial scripts', 16, scripts.filter(isInitial)],
  ['styles', 5, assets.filter((path) => path.endsWith('.css'))],
  ['chart', 25, scripts.filter(named('chart'))],
  ...scripts.filter((path) => !isInitial(path) && !named('chart')(path)).map((path) => [path.slice(7).replace(/-.{8}\.js$/, ''), 10, [path]]),
];

let isOver = false;
for (const [name, budget, paths] of budgets) {
  const bytes = paths.reduce((sum, path) => sum + weigh(path), 0);
  const verdict = bytes > budget * KIB ? 'OVER' : 'ok';
  isOver ||= verdict === 'OVER' || paths.length === 0;
  console.log(`${name.padEnd(16)} ${(bytes / KIB).toFixed(2).padStart(6)} of ${budget} KiB gzip  ${paths.length === 0 ? 'MISSING' : verdict}`);
}

// What would need an exception in the content security policy, or another host.
const inline = html.match(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:\/\//g);
if (inline) {
  isOver = true;
  console.log(`index.html has ${inline.join(', ')}: move it into a file of its own`);
}
process.exitCode = isOver ? 1 : 0;
