import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addDays, addMonths, daysIn, defaultInterval, intervalsFor, isDay, nameOf, nextHour, PRESETS, shift, spanOf, stepEnd } from '../../src/hours.ts';

const TODAY = '2026-11-22';

test('days are dates of the calendar', () => {
  for (const good of ['2026-02-28', '2024-02-29', '1999-12-31']) assert.ok(isDay(good), good);
  for (const bad of ['', '2026-02-29', '2026-13-01', '2026-1-1', '22-11-2026', '2026-11-22T00', 'today']) assert.ok(!isDay(bad), bad);
});

test('arithmetic crosses months, years and the days the clocks change', () => {
  assert.equal(addDays('2026-02-28', 1), '2026-03-01');
  assert.equal(addDays('2026-03-29', 1), '2026-03-30');
  assert.equal(addDays('2026-01-01', -1), '2025-12-31');
  assert.equal(addMonths('2026-01-31', 1), '2026-02-01');
  assert.equal(addMonths('2026-01-15', -2), '2025-11-01');
  assert.equal(daysIn({ from: '2026-10-25', until: '2026-10-26' }), 1);
});

test('presets are half-open and end with today, or before it', () => {
  const expected: Record<string, [string, string]> = {
    today: ['2026-11-22', '2026-11-23'], yesterday: ['2026-11-21', '2026-11-22'], '7d': ['2026-11-16', '2026-11-23'],
    '28d': ['2026-10-26', '2026-11-23'], '30d': ['2026-10-24', '2026-11-23'], '91d': ['2026-08-24', '2026-11-23'],
    month: ['2026-11-01', '2026-11-23'], 'last-month': ['2026-10-01', '2026-11-01'], '12m': ['2025-12-01', '2026-11-23'],
  };
  for (const preset of PRESETS) {
    const { from, until } = spanOf(preset, TODAY);
    assert.deepEqual([from, until], expected[preset], preset);
    assert.equal(nameOf({ from, until }, TODAY), preset);
  }
});

test('stepping keeps the length of days, and the months of months', () => {
  assert.equal(shift('today', TODAY, -1), 'yesterday');
  assert.equal(shift('yesterday', TODAY, 1), 'today');
  assert.equal(shift('today', TODAY, 1), null);
  assert.deepEqual(shift('7d', TODAY, -1), { from: '2026-11-09', until: '2026-11-16' });
  assert.equal(shift({ from: '2026-11-09', until: '2026-11-16' }, TODAY, 1), '7d');
  assert.equal(shift('month', TODAY, -1), 'last-month');
  assert.equal(shift('last-month', TODAY, 1), 'month');
  assert.deepEqual(shift('last-month', TODAY, -1), { from: '2026-09-01', until: '2026-10-01' });
  assert.deepEqual(shift('12m', TODAY, -1), { from: '2024-12-01', until: '2025-12-01' });
  assert.equal(shift({ from: '2024-12-01', until: '2025-12-01' }, TODAY, 1), '12m');
  assert.deepEqual(shift({ from: '2026-11-11', until: '2026-11-18' }, TODAY, 1), spanOf('7d', TODAY) && '7d', 'slides to end with today');
  for (const preset of ['7d', '28d', 'month', '12m'] as const) assert.equal(shift(preset, TODAY, 1), null, preset);
});

test('every step back can be stepped forward again', () => {
  for (const preset of PRESETS) {
    const back = shift(preset, TODAY, -1);
    assert.ok(back, preset);
    assert.equal(shift(back, TODAY, 1), preset);
  }
});

test('steps of the chart fit the range', () => {
  assert.deepEqual(intervalsFor(1), ['hour']);
  assert.deepEqual(intervalsFor(31), ['hour', 'day', 'week']);
  assert.deepEqual(intervalsFor(32), ['day', 'week']);
  assert.deepEqual(intervalsFor(356), ['day', 'week', 'month']);
  for (let days = 1; days < 3000; days += 1) assert.ok(intervalsFor(days).includes(defaultInterval(days)), `${days} days`);
  assert.equal(stepEnd('2026-11-22', 'week'), '2026-11-23', 'weeks end with Sunday');
  assert.equal(stepEnd('2026-11-16', 'week'), '2026-11-23');
  assert.equal(stepEnd('2026-12-01', 'month'), '2027-01-01');
});

test('the next hour is always ahead', () => {
  assert.equal(nextHour(Date.parse('2026-11-22T13:41:07Z')), Date.parse('2026-11-22T14:00:00Z'));
  assert.equal(nextHour(Date.parse('2026-11-22T14:00:00Z')), Date.parse('2026-11-22T15:00:00Z'));
});
