// The address bar as a store: read the view, go to another, hear of changes.
import { useEffect, useState } from 'preact/hooks';
import { format, parse, type View } from './state.ts';

const listeners = new Set<() => void>();
const tell = () => listeners.forEach((listener) => listener());
addEventListener('popstate', tell);

export const currentView = (): View => parse(location.pathname, location.search);

export function useView(): View {
  const [view, setView] = useState(currentView);
  useEffect(() => {
    const listener = () => setView(currentView());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return view;
}

/** Goes to the current view with some of it changed; `replace` for what should not be a step back. */
export function go(patch: Partial<View>, replace = false): void {
  const address = format({ ...currentView(), ...patch });
  if (replace) history.replaceState(null, '', address);
  else if (address !== location.pathname + location.search) history.pushState(null, '', address);
  tell();
}

/** Properties of an anchor that goes to a view without loading the page, unless a new tab is asked for. */
export function linkTo(patch: Partial<View>, then?: () => void) {
  return {
    href: format({ ...currentView(), ...patch }),
    onClick: (event: MouseEvent) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      go(patch);
      then?.();
    },
  };
}
