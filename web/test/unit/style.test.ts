// Colours are pairs in style.css; text must be readable on what it stands on in both (WCAG 2.2 AA).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const css = readFileSync(new URL('../../src/style.css', import.meta.url), 'utf8');
const pairs = new Map([...css.matchAll(/--([\w-]+): light-dark\((#\w+), (#\w+)\)/g)].map(([, name = '', light = '', dark = '']) => [name, [light, dark] as const]));

function luminance(hex: string): number {
  const full = hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit).join('') : hex.slice(1);
  const [r = 0, g = 0, b = 0] = [0, 2, 4].map((at) => Number.parseInt(full.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const SURFACES = ['paper', 'sheet', 'raised', 'hover'];
const READ: [text: string, on: string[], ratio: number][] = [
  ['ink', [...SURFACES, 'accent-soft', 'ochre-soft'], 7],
  ['muted', SURFACES, 4.5],
  ['accent', [...SURFACES, 'accent-soft'], 4.5],
  ['ochre', ['paper', 'ochre-soft'], 4.5],
  ['bad', ['sheet', 'hover', 'bad-soft'], 4.5],
  ['on-accent', ['accent'], 4.5],
  ['focus', SURFACES, 3],
];

test('text and focus rings stand out in light and dark', () => {
  for (const [text, surfaces, ratio] of READ) {
    for (const surface of surfaces) {
      for (const scheme of [0, 1] as const) {
        const [front, back] = [pairs.get(text)?.[scheme], pairs.get(surface)?.[scheme]];
        assert.ok(front && back, `${text} on ${surface} is not in style.css`);
        const got = contrast(front, back);
        assert.ok(got >= ratio, `${text} on ${surface}, ${scheme ? 'dark' : 'light'}: ${got.toFixed(2)} is under ${ratio}`);
      }
    }
  }
});
