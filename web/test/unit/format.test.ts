import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sums } from '../../src/api.ts';
import { change, compact, duration, localDay, MEASURES, moment, percent, RANGE_KEYS, spanText, stepName, stepTick } from '../../src/format.ts';
import { countryName, languageName, money } from '../../src/names.ts';

const table = <T>(show: (value: T) => string, rows: [T, string][]) => rows.forEach(([value, expected]) => assert.equal(show(value), expected, String(value)));

test('numbers are short and never longer than they must be', () => {
  table(compact, [[0, '0'], [9_999, '9,999'], [10_000, '10.0K'], [12_345, '12.3K'], [999_499, '999K'], [1_234_567, '1.23M']]);
  table(percent, [[0, '0%'], [0.0004, '<0.1%'], [0.0123, '1.2%'], [0.0994, '9.9%'], [0.0996, '10%'], [1, '100%']]);
  table(duration, [[0, '0s'], [999, '1s'], [59_400, '59s'], [59_600, '1m 00s'], [99_000, '1m 39s'], [3_660_000, '1h 01m']]);
});

test('money is in thousandths, and an unknown currency is still shown', () => {
  assert.equal(money({ currency: 'EUR', milli: 23_750 }), '€23.75');
  assert.equal(money({ currency: 'JPY', milli: 1_000_000 }), '¥1,000');
  assert.equal(money({ currency: 'nope!', milli: 1_500 }), '1.5 nope!');
});

const sums = (values: Partial<Sums>): Sums => ({ visitors: 0, visits: 0, views: 0, events: 0, bounces: 0, duration_ms: 0, ...values });

test('a rate of nothing is no number', () => {
  for (const metric of ['depth', 'bounce', 'duration'] as const) assert.equal(MEASURES[metric].of(sums({})), null);
  assert.equal(MEASURES.bounce.of(sums({ visits: 4, bounces: 1 })), 0.25);
  assert.equal(MEASURES.depth.of(sums({ visits: 4, views: 10 })), 2.5);
});

test('change is coloured by what is better, and is not invented from nothing', () => {
  assert.deepEqual(change('visitors', 110, 100), { text: '+10%', tone: 'good', isDown: false });
  assert.deepEqual(change('visitors', 95, 100), { text: '\u22125.0%', tone: 'bad', isDown: true });
  assert.deepEqual(change('bounce', 0.4, 0.45), { text: '\u22125.0 pp', tone: 'good', isDown: true });
  assert.deepEqual(change('bounce', 0.5, 0.45), { text: '+5.0 pp', tone: 'bad', isDown: false });
  assert.equal(change('visitors', 5, 0).text, '\u2013');
  assert.equal(change('duration', null, 3).text, '\u2013');
  assert.equal(change('visitors', 100, 100).tone, 'flat');
  assert.equal(change('visitors', 100_000, 10).text, '+999,900%');
});

test('spans are as short as they can be read', () => {
  assert.equal(spanText({ from: '2026-11-22', until: '2026-11-23' }), 'Sun, 22 Nov 2026');
  assert.equal(spanText({ from: '2026-11-01', until: '2026-11-23' }), '1–22 Nov 2026');
  assert.equal(spanText({ from: '2026-10-26', until: '2026-11-23' }), '26 Oct – 22 Nov 2026');
  assert.equal(spanText({ from: '2025-12-01', until: '2026-11-23' }), '1 Dec 2025 – 22 Nov 2026');
});

test('moments are in the zone of the site, with its usual name', () => {
  const at = '2026-11-22T13:00:00Z';
  assert.equal(moment(at, 'Europe/Berlin', '2026-11-22'), '14:00 CET');
  assert.equal(moment(at, 'America/New_York', '2026-11-22'), '08:00 EST');
  assert.equal(moment(at, 'Asia/Kolkata', '2026-11-22'), '18:30 IST');
  assert.equal(moment(at, 'UTC', '2026-11-22'), '13:00 UTC');
  assert.equal(moment('2026-11-22T11:00:00Z', 'Pacific/Auckland', '2026-11-22'), '23 Nov, 00:00 NZDT');
  assert.equal(localDay(at, 'Pacific/Auckland'), '2026-11-23');
});

test('steps are named with their bounds, cut to the range', () => {
  const span = { from: '2026-10-26', until: '2026-11-23' };
  assert.equal(stepName('2026-11-22T13:00:00+01:00', 'hour', span), 'Sun, 22 Nov 2026, 13:00–14:00');
  assert.equal(stepName('2026-11-22T23:30:00+05:30', 'hour', span), 'Sun, 22 Nov 2026, 23:30–00:30');
  assert.equal(stepName('2026-11-16', 'week', { ...span, until: '2026-11-20' }), '16–19 Nov 2026');
  assert.equal(stepName('2026-11-01', 'month', span), '1–22 Nov 2026');
  assert.equal(stepName('2026-10-01', 'month', { from: '2026-01-01', until: '2026-11-23' }), 'October 2026');
  assert.equal(stepTick('2026-01-01', 'month', false), '2026');
  assert.equal(stepTick('2026-11-22T13:00:00+01:00', 'hour', true), '13:00');
});

test('places and languages have names, and unknown codes stay', () => {
  assert.equal(countryName('DE'), 'Germany');
  assert.equal(countryName(''), '');
  assert.equal(countryName('T1'), 'T1');
  assert.equal(languageName('de'), 'German');
  assert.equal(languageName('not a code'), 'not a code');
});

test('no letter means two ranges', () => {
  const letters = [...Object.values(RANGE_KEYS), 'c', 's', 'd'];
  assert.equal(new Set(letters).size, letters.length);
});
