// The screen of one site: what is asked for comes from the URL, what is closed from the status.
import { useEffect, useState } from 'preact/hooks';
import { type ApiError, type Me, report, type Site, type Status, type Totals as TotalsAnswer } from './api.ts';
import { observeFailures, useReport, useStatus } from './data.ts';
import { moment } from './format.ts';
import { type Day, type Span, spanOf } from './hours.ts';
import { useShortcuts } from './keys.ts';
import { go, useView } from './navigate.ts';
import { PANELS, type View } from './state.ts';
import { Timeseries } from './timeseries.tsx';
import { Topbar } from './topbar.tsx';
import { Totals } from './totals.tsx';
import { lazy, Logo, Problem } from './ui.tsx';

const NoSite = lazy(() => import('./account.tsx').then((part) => part.NoSite));
const SiteDialog = lazy(() => import('./account.tsx').then((part) => part.SiteDialog));
const Beginning = lazy(() => import('./account.tsx').then((part) => part.Beginning));
const Help = lazy(() => import('./help.tsx').then((part) => part.Help));
const place = <section class="sheet panel" aria-busy="true" />;
const PARTS = {
  pages: lazy(() => import('./panel/pages.tsx').then((part) => part.Pages), place),
  sources: lazy(() => import('./panel/sources.tsx').then((part) => part.Sources), place),
  places: lazy(() => import('./panel/places.tsx').then((part) => part.Places), place),
  devices: lazy(() => import('./panel/devices.tsx').then((part) => part.Devices), place),
  events: lazy(() => import('./panel/events.tsx').then((part) => part.Events), place),
};

/** What every part of a site's screen is told. */
export interface Frame {
  site: Site;
  status: Status;
  view: View;
  span: Span;
  today: Day;
  generation: number;
  /** All visitors of the range, which shares are of; null until known. */
  visitors: number | null;
}

export function Dashboard(props: { me: Me; onSites: (sites: Site[]) => void; onSignOut: () => void }) {
  const { me } = props;
  const view = useView();
  const site = view.site ? me.sites.find(({ domain }) => domain === view.site) : me.sites.find(({ demo }) => !demo) ?? me.sites[0];
  useEffect(() => {
    if (!view.site && site) go({ site: site.domain }, true);
    document.title = site ? `${site.domain} \u00b7 Tallyhouse` : 'Tallyhouse';
  }, [view.site, site]);
  const onAdded = (added: Site) => {
    props.onSites([...me.sites.filter(({ id }) => id !== added.id), added]);
    go({ site: added.domain, dialog: null });
  };
  return (
    <div class="page">
      {site ? <SiteScreen key={site.id} me={me} site={site} view={view} onSignOut={props.onSignOut} />
        : (
          <>
            <Topbar me={me} site={null} view={view} today={null} firstDay={null} onSignOut={props.onSignOut} />
            <NoSite me={me} wanted={view.site} onAdded={onAdded} />
          </>
        )}
      {(view.dialog === 'snippet' || (view.dialog === 'add' && me.sites.length > 0)) && <SiteDialog dialog={view.dialog} site={site} onAdded={onAdded} />}
      {view.dialog === 'help' && <Help onClose={() => go({ dialog: null })} />}
    </div>
  );
}

function SiteScreen({ me, site, view, onSignOut }: { me: Me; site: Site; view: View; onSignOut: () => void }) {
  const { status, error, generation, renew } = useStatus(site.id);
  useShortcuts(status?.today ?? null, status?.first_day ?? null);
  return (
    <>
      <Topbar me={me} site={site} view={view} today={status?.today ?? null} firstDay={status?.first_day ?? null} onSignOut={onSignOut} />
      <main id="main">
        {status ? <AsOf status={status} /> : <p class="as-of">{error ? '' : '\u00a0'}</p>}
        {!status && error && error.status !== 503 && <div class="sheet"><Problem error={error} retry={renew} /></div>}
        {!status && error?.status === 503 && <Away />}
        {!status && !error && <div class="sheet hero" aria-busy="true" />}
        {status && (status.first_day ? <Reports {...{ site, status, view, generation, renew }} /> : <Beginning site={site} status={status} />)}
      </main>
      <footer class="foot">
        <span><Logo /> Tallyhouse</span>
        <span>Figures are of closed hours only, each counted once. Hours close five seconds after their end.</span>
      </footer>
    </>
  );
}

const Away = () => (
  <p class="notice" role="alert"><strong>ClickHouse is away; collection goes on.</strong> Nothing is lost: hits are kept safe and counted when it is back. This page tries again by itself.</p>
);

const LATE_MS = 70 * 60_000;

function AsOf({ status }: { status: Status }) {
  const isLate = Date.now() - Date.parse(status.as_of) > LATE_MS;
  return (
    <p class={isLate ? 'as-of late' : 'as-of'}>
      <span>Closed hours up to <strong>{moment(status.as_of, status.timezone, status.today)}</strong></span>
      <span class="aside">{isLate ? 'later hours close late; their hits are collected and will be counted' : 'the running hour appears when it is closed'}</span>
    </p>
  );
}

function Reports(props: { site: Site; status: Status; view: View; generation: number; renew: () => void }) {
  const { site, status, view, generation, renew } = props;
  const span = spanOf(view.range, status.today);
  const totals = useReport<TotalsAnswer>(report(site.id, 'totals', { ...span, compare: 'previous' }), generation);
  const isAway = useAway(renew, totals.data !== null && !totals.isStale && !totals.error);
  const frame: Frame = { site, status, view, span, today: status.today, generation, visitors: totals.isStale ? null : totals.data?.totals.visitors ?? null };
  return (
    <>
      {isAway && <Away />}
      <section class="sheet hero" aria-label="Totals and chart">
        <Totals frame={frame} report={totals} />
        <Timeseries frame={frame} totals={totals.data} />
      </section>
      <div class="panels">
        {PANELS.map((id) => {
          const Part = PARTS[id];
          return <Part key={id} {...frame} />;
        })}
      </div>
    </>
  );
}

/** True from the first 503 until figures come again; asks again by itself. */
function useAway(renew: () => void, isBack: boolean): boolean {
  const [isAway, setAway] = useState(false);
  useEffect(() => {
    let timer = 0;
    const stop = observeFailures((error: ApiError) => {
      if (error.status !== 503) return;
      setAway(true);
      clearTimeout(timer);
      timer = window.setTimeout(renew, error.retryAfterSeconds * 1000);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);
  useEffect(() => {
    if (isBack) setAway(false);
  }, [isBack]);
  return isAway && !isBack;
}

