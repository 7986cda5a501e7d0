// Which site, which range, and who is signed in.
import { useEffect, useState } from 'preact/hooks';
import type { Me, Site } from './api.ts';
import { rangeName, spanText } from './format.ts';
import { type Day, spanOf } from './hours.ts';
import { neighbour, toRange } from './keys.ts';
import { linkTo } from './navigate.ts';
import type { View } from './state.ts';
import { Icon, lazy, Logo, Menu } from './ui.tsx';

const menus = () => import('./menus.tsx');
const SiteList = lazy(() => menus().then((part) => part.SiteList));
const RangeList = lazy(() => menus().then((part) => part.RangeList));
const AccountMenu = lazy(() => menus().then((part) => part.AccountMenu));
type Open = 'site' | 'range' | 'account' | null;

export function Topbar(props: { me: Me; site: Site | null; view: View; today: Day | null; firstDay: Day | null; onSignOut: () => void }) {
  const { me, site, view, today } = props;
  const [open, setOpen] = useState<Open>(null);
  useEffect(() => {
    const onMenu = (event: Event) => setOpen((event as CustomEvent<Open>).detail);
    addEventListener('menu', onMenu);
    setTimeout(() => void menus().catch(() => {}), 1000);
    return () => removeEventListener('menu', onMenu);
  }, []);
  const toggle = (name: Open) => (isOpen: boolean) => setOpen(isOpen ? name : null);
  const close = () => setOpen(null);
  return (
    <header class="top">
      <a class="skip" href="#main">Skip to the figures</a>
      <a class="home" aria-label="Tallyhouse" {...linkTo({ site: '', details: null })}><Logo /></a>
      {me.sites.length > 0 && (
        <Menu class="site" name={site ? `Site: ${site.domain}. Switch site` : 'Switch site'} isOpen={open === 'site'} onToggle={toggle('site')}
          label={<><span class="domain">{site?.domain ?? 'Sites'}</span>{site?.demo && <span class="tag">Demo data</span>}<Icon name="down" /></>}>
          <SiteList me={me} current={site} onDone={close} />
        </Menu>
      )}
      <span class="grow" />
      {site && <RangePicker {...{ view, today, firstDay: props.firstDay, isOpen: open === 'range', onToggle: toggle('range') }} />}
      <Menu class="account" name="Account and settings" isOpen={open === 'account'} onToggle={toggle('account')} label={<Icon name="more" />}>
        <AccountMenu user={me.user} hasSite={site !== null} onDone={close} onSignOut={props.onSignOut} />
      </Menu>
    </header>
  );
}

function RangePicker(props: { view: View; today: Day | null; firstDay: Day | null; isOpen: boolean; onToggle: (isOpen: boolean) => void }) {
  const { view, today, onToggle } = props;
  const close = () => onToggle(false);
  const step = (by: -1 | 1) => {
    const range = today && neighbour(view.range, today, props.firstDay, by);
    const icon = <Icon name={by < 0 ? 'left' : 'right'} />;
    const name = by < 0 ? 'Period before' : 'Period after';
    return range ? <a class="button step" aria-label={name} title={name} {...linkTo(toRange(range))}>{icon}</a>
      : <button type="button" class="button step" aria-label={name} disabled>{icon}</button>;
  };
  const span = today ? spanOf(view.range, today) : null;
  return (
    <div class="range" role="group" aria-label="Range">
      {step(-1)}
      <Menu name={`Range: ${rangeName(view.range)}. Change`} isOpen={props.isOpen} onToggle={onToggle}
        label={<><span class="range-name">{rangeName(view.range)}</span>{typeof view.range === 'string' && span && <span class="range-days">{spanText(span)}</span>}<Icon name="down" /></>}>
        {today && span && <RangeList range={view.range} span={span} today={today} onDone={close} />}
      </Menu>
      {step(1)}
    </div>
  );
}

