// One letter each: ranges, periods, menus. Off while something is typed or a dialog is open.
import { useEffect } from 'preact/hooks';
import { RANGE_KEYS } from './format.ts';
import { type Day, PRESETS, type Range, shift, spanOf } from './hours.ts';
import { currentView, go } from './navigate.ts';
import { isDark, setTheme } from './theme.ts';

/** What a change of range does to the rest of the view. */
export const toRange = (range: Range) => ({ range, by: null, page: 1 });

/** The period before or after, as far as there is something to see. */
export function neighbour(range: Range, today: Day, firstDay: Day | null, step: -1 | 1): Range | null {
  const next = shift(range, today, step);
  return next && firstDay && step < 0 && spanOf(next, today).until <= firstDay ? null : next;
}

export function useShortcuts(today: Day | null, firstDay: Day | null): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { key, target } = event;
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog')) return;
      if (target instanceof Element && target.closest('input, select, textarea')) return;
      const letter = key.toLowerCase();
      const preset = PRESETS.find((name) => RANGE_KEYS[name] === letter);
      if (preset) go(toRange(preset));
      else if (key === '?') go({ dialog: 'help' });
      else if (letter === 'd') setTheme(isDark() ? 'light' : 'dark');
      else if (letter === 'c' || letter === 's') dispatchEvent(new CustomEvent('menu', { detail: letter === 'c' ? 'range' : 'site' }));
      else if ((key === 'ArrowLeft' || key === 'ArrowRight') && today) {
        const range = neighbour(currentView().range, today, firstDay, key === 'ArrowLeft' ? -1 : 1);
        if (range) go(toRange(range));
      } else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [today, firstDay]);
}
