// What opens under the buttons of the top bar. Loaded when the page is idle, so that it is not in the way of the figures.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, type Me, type Site } from './api.ts';
import { rangeMenu } from './format.ts';
import { addDays, type Day, isDay, type Range, type Span } from './hours.ts';
import { toRange } from './keys.ts';
import { go, linkTo } from './navigate.ts';
import { setTheme, type Theme, theme, THEMES } from './theme.ts';
import { Icon } from './ui.tsx';

const SEARCH_FROM_SITES = 8;

/** Takes the focus to the field, the current choice or the first one. */
function Opened({ children }: { children: ComponentChildren }) {
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const first = ['[type=search]', '[aria-current=true]', 'a, button'].map((kind) => root.current?.querySelector<HTMLElement>(kind)).find(Boolean);
    first?.focus();
  }, []);
  return <div ref={root}>{children}</div>;
}

export function SiteList({ me: { sites, user }, current, onDone }: { me: Me; current: Site | null; onDone: () => void }) {
  const [wanted, setWanted] = useState('');
  const found = sites.filter(({ domain }) => domain.includes(wanted.trim().toLowerCase()));
  const isLong = sites.length >= SEARCH_FROM_SITES;
  const onEnter = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !found[0]) return;
    go({ site: found[0].domain, tabs: {}, search: {}, event: null, details: null });
    onDone();
  };
  return (
    <Opened>
      {isLong && <input type="search" placeholder="Find a site" aria-label="Find a site" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} onKeyDown={onEnter} />}
      <ul class="scroll">
        {found.map(({ domain, demo, id }) => (
          <li key={id}><a aria-current={id === current?.id} {...linkTo({ site: domain, search: {}, event: null, details: null }, onDone)}>
            <span>{domain}</span>{demo && <span class="tag">Demo data</span>}
          </a></li>
        ))}
        {found.length === 0 && <li class="none">No site matches</li>}
      </ul>
      {user.owner && <a class="apart" {...linkTo({ dialog: 'add' }, onDone)}><Icon name="plus" /> Add a site</a>}
    </Opened>
  );
}

export function RangeList({ range, span, today, onDone }: { range: Range; span: Span; today: Day; onDone: () => void }) {
  return (
    <Opened>
      <ul>
        {rangeMenu(today).map(({ preset, name, key, days }) => (
          <li key={preset}><a aria-current={preset === range} title={days} {...linkTo(toRange(preset), onDone)}><span>{name}</span><kbd>{key.toUpperCase()}</kbd></a></li>
        ))}
      </ul>
      <CustomRange from={span.from} last={addDays(span.until, -1)} today={today} onDone={onDone} />
    </Opened>
  );
}

function CustomRange({ from, last, today, onDone }: { from: Day; last: Day; today: Day; onDone: () => void }) {
  const [error, setError] = useState('');
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    const values = new FormData(event.currentTarget as HTMLFormElement);
    const [first, end] = [String(values.get('from')), String(values.get('last'))];
    if (!isDay(first) || !isDay(end)) return setError('Both dates are needed.');
    if (first > end) return setError('The first day is after the last.');
    go(toRange({ from: first, until: addDays(end, 1) }));
    onDone();
  };
  return (
    <form class="custom" onSubmit={onSubmit} noValidate>
      <label>From <input type="date" name="from" max={today} defaultValue={from} /></label>
      <label>To <input type="date" name="last" max={today} defaultValue={last} /></label>
      <button class="button primary">Show</button>
      {error && <p class="error" role="alert">{error}</p>}
    </form>
  );
}

export function AccountMenu(props: { user: Me['user']; hasSite: boolean; onDone: () => void; onSignOut: () => void }) {
  const [chosen, setChosen] = useState(theme);
  const choose = (name: Theme) => {
    setTheme(name);
    setChosen(name);
  };
  const signOut = () => void call('/api/logout', {}).then(props.onSignOut, props.onSignOut);
  return (
    <Opened>
      <p class="who">{props.user.email}</p>
      <div class="segments" role="group" aria-label="Colours">
        {THEMES.map((name) => <button key={name} type="button" aria-pressed={name === chosen} onClick={() => choose(name)}>{name}</button>)}
      </div>
      <ul>
        {props.hasSite && <li><a {...linkTo({ dialog: 'snippet' }, props.onDone)}>Tracking snippet</a></li>}
        {props.user.owner && <li><a {...linkTo({ dialog: 'add' }, props.onDone)}>Add a site</a></li>}
        <li><a {...linkTo({ dialog: 'help' }, props.onDone)}><span>Keyboard shortcuts</span><kbd>?</kbd></a></li>
        <li><button type="button" onClick={signOut}>Sign out</button></li>
      </ul>
    </Opened>
  );
}
