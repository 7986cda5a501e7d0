// Light, dark, or as the system has it. Only this browser remembers the choice.

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
const KEY = 'tallyhouse.theme';

export function theme(): Theme {
  try {
    return THEMES.find((name) => name === localStorage.getItem(KEY)) ?? 'system';
  } catch {
    return 'system';
  }
}

export function setTheme(name: Theme): void {
  document.documentElement.dataset['theme'] = name;
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // Storage is forbidden: the choice holds for this page.
  }
  dispatchEvent(new Event('theme'));
}

export const isDark = (): boolean => {
  const name = theme();
  return name === 'system' ? matchMedia('(prefers-color-scheme: dark)').matches : name === 'dark';
};
