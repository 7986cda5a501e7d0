// Money, countries and languages as the panels show them.
import type { Money } from './api.ts';
import { exact } from './format.ts';

export function money({ currency, milli }: Money): string {
  const style = { style: 'currency', currency } as const;
  try {
    return new Intl.NumberFormat('en', Math.abs(milli) >= 1e8
      ? { ...style, notation: 'compact', maximumSignificantDigits: 4 } : style).format(milli / 1000);
  } catch {
    return `${exact(milli / 1000)} ${currency}`;
  }
}

const displayNames: Partial<Record<'region' | 'language', Intl.DisplayNames>> = {};
function displayName(type: 'region' | 'language', code: string): string {
  try {
    return (displayNames[type] ??= new Intl.DisplayNames('en', { type })).of(code) ?? code;
  } catch {
    return code;
  }
}
export const countryName = (code: string): string => (/^[A-Z]{2}$/.test(code) ? displayName('region', code) : code);
export const languageName = (code: string): string => displayName('language', code);
