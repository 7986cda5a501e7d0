// Custom events, what they earned, and the properties they carried.
import type { Row } from '../api.ts';
import type { Frame } from '../dashboard.tsx';
import { money } from '../names.ts';
import { currentView, linkTo } from '../navigate.ts';
import { COUNT, Panel, type Tab } from '../panel.tsx';
import { Icon } from '../ui.tsx';

const withoutSearch = () => ({ ...currentView().search, events: '' });
const earned = (row: Row) => (row.revenue ?? []).filter(({ milli }) => milli !== 0);
const EVENTS: Tab = {
  id: 'events', label: 'Event', report: 'events', columns: [COUNT], name: (row) => row.name,
  empty: 'No custom events in this period.',
  cell: (row) => (
    <>
      <a class="link text" title={`Properties of ${row.name}`} {...linkTo({ event: row.name, search: withoutSearch(), page: 1 })}>{row.name}</a>
      {earned(row).map((sum) => <span key={sum.currency} class="money">{money(sum)}</span>)}
    </>
  ),
};
const properties = (event: string): Tab => ({
  id: 'properties', label: 'Property', report: `event-props?name=${encodeURIComponent(event)}`, columns: [COUNT],
  name: (row) => `${row.key}: ${row.value}`, empty: 'This event carried no properties in this period.',
  cell: (row) => <><span class="code">{row.key}</span><span class="text">{row.value || '(empty)'}</span></>,
});

export function Events(frame: Frame) {
  const { event } = frame.view;
  const head = event && (
    <p class="crumb"><a {...linkTo({ event: null, search: withoutSearch(), page: 1 })}><Icon name="left" /> All events</a> <strong>{event}</strong></p>
  );
  return <Panel id="events" title="Events" tabs={[event ? properties(event) : EVENTS]} frame={frame} head={head} />;
}
