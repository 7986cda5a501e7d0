import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INTERVALS } from '../../src/api.ts';
import { METRICS } from '../../src/format.ts';
import { PRESETS } from '../../src/hours.ts';
import { DIALOGS, format, PANELS, parse, type View } from '../../src/state.ts';
import { random } from '../screens/fixtures.ts';

const read = (address: string) => {
  const url = new URL(address, 'http://localhost');
  return parse(url.pathname, url.search);
};

test('an empty address is the default view', () => {
  const view = read('/');
  assert.equal(view.site, '');
  assert.equal(view.range, '28d');
  assert.equal(view.metric, 'visitors');
  assert.equal(format(view), '/');
  assert.equal(format(read('/example.org?range=28d&metric=visitors&page=3')), '/example.org');
});

test('what is not understood falls back', () => {
  for (const query of ['range=never', 'from=2026-11-01', 'from=2026-11-05&until=2026-11-05', 'from=x&until=y', 'from=2026-02-30&until=2026-03-01']) {
    assert.equal(read(`/a.example?${query}`).range, '28d', query);
  }
  assert.equal(read('/a.example?page=-4').page, 1);
  assert.equal(read('/a.example?details=nothing').details, null);
  assert.equal(read('/%E0%A4%A').site, '%E0%A4%A', 'broken escapes do not throw');
});

test('every view survives its address', () => {
  const seed = Date.now() % 1_000_000;
  const next = random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const texts = ['a b&c=d', '100%', '/über/uns?x#y', '日本', '+1', '"quoted"'];
  for (let round = 0; round < 500; round += 1) {
    const details = pick([...PANELS, null]);
    const view: View = {
      site: pick(['example.org', 'localhost:8000', 'bücher.example', 'a.b.c.example']),
      range: pick([...PRESETS, { from: '2026-01-05', until: '2026-02-01' }]),
      metric: pick(METRICS),
      by: pick([...INTERVALS, null]),
      tabs: next() < 0.5 ? { [pick(PANELS)]: 'exit' } : {},
      search: next() < 0.5 ? { [pick(PANELS)]: pick(texts) } : {},
      event: pick([null, ...texts]),
      details,
      page: details ? 1 + Math.floor(next() * 9) : 1,
      table: next() < 0.5,
      dialog: pick([...DIALOGS, null]),
    };
    assert.deepEqual(read(format(view)), view, `seed ${seed}, round ${round}: ${format(view)}`);
  }
});
