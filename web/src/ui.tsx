// Small parts that several screens use.
import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from './api.ts';

const PATHS = {
  down: 'm4 6 4 4 4-4', left: 'm10 3-5 5 5 5', right: 'm6 3 5 5-5 5', search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14',
  close: 'm4 4 8 8m0-8-8 8', open: 'M6 3H3v10h10v-3M9 3h4v4m0-4L7 9', save: 'M8 2v8m-3-3 3 3 3-3M3 13h10', more: 'M3 8h.01M8 8h.01M13 8h.01',
  table: 'M2 3.5h12v9H2zM2 7.5h12M7 3.5v9', check: 'm3 8.5 3 3 7-7', plus: 'M8 3v10M3 8h10',
} as const;

export const Icon = ({ name }: { name: keyof typeof PATHS }) => (
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d={PATHS[name]} /></svg>
);

export const Logo = () => (
  <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
    <path d="M5 13 16 5l11 8M9.5 16v10.5M13.8 16v10.5M18.2 16v10.5M22.5 16v10.5" />
    <path class="strike" d="M5.5 25.5 26.5 17" />
  </svg>
);

/** A button with something under it: closed by Escape, by a click outside and when the focus leaves. */
export function Menu(props: {
  label: ComponentChildren; name: string; isOpen: boolean; onToggle: (isOpen: boolean) => void; class?: string; children: ComponentChildren;
}) {
  const root = useRef<HTMLDivElement>(null);
  const { isOpen, onToggle } = props;
  useEffect(() => {
    if (!isOpen) return;
    const outside = (event: Event) => root.current?.contains(event.target as Node) || onToggle(false);
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [isOpen]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isOpen) return;
    if (event.key === 'Escape') {
      onToggle(false);
      root.current?.querySelector('button')?.focus();
    } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && (event.target as HTMLInputElement).type !== 'date') {
      const items = [...root.current?.querySelectorAll<HTMLElement>('.menu a, .menu button, .menu input') ?? []];
      const step = event.key === 'ArrowDown' ? 1 : -1;
      const at = items.indexOf(document.activeElement as HTMLElement);
      items[at < 0 ? 0 : (at + step + items.length) % items.length]?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onFocusOut = (event: FocusEvent) => {
    if (isOpen && event.relatedTarget && !root.current?.contains(event.relatedTarget as Node)) onToggle(false);
  };
  return (
    <div ref={root} class={`drop ${props.class ?? ''}`} onKeyDown={onKeyDown} onFocusOut={onFocusOut}>
      <button type="button" class="button" aria-expanded={isOpen} aria-label={props.name} onClick={() => onToggle(!isOpen)}>{props.label}</button>
      {isOpen && <div class="menu">{props.children}</div>}
    </div>
  );
}

/** A part that is loaded when it is first shown; `fallback` keeps its place. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>, fallback: ComponentChildren = null): ComponentType<P> {
  let Loaded: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [state, setState] = useState<'waiting' | 'here' | 'failed'>(Loaded ? 'here' : 'waiting');
    useEffect(() => {
      if (!Loaded) load().then((part) => { Loaded = part; setState('here'); }, () => setState('failed'));
    }, []);
    if (Loaded) return <Loaded {...props} />;
    if (state === 'waiting') return <>{fallback}</>;
    return (
      <p class="problem" role="alert">This part did not load; Tallyhouse may have been updated. <button type="button" class="link" onClick={() => location.reload()}>Reload the page</button></p>
    );
  };
}

/** What went wrong, with a way to try again; while ClickHouse is away the page does that by itself. */
export function Problem({ error, retry }: { error: ApiError; retry: () => void }) {
  return (
    <div class="problem" role="alert">
      <p>{error.status === 503 ? 'Not available while ClickHouse is away.' : error.message}</p>
      {error.status !== 503 && <button type="button" class="button" onClick={retry}>Try again</button>}
    </div>
  );
}
