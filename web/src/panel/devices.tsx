// What visitors used.
import type { Row } from '../api.ts';
import type { Frame } from '../dashboard.tsx';
import { languageName } from '../names.ts';
import { Panel, type Tab, VISIT_COLUMNS } from '../panel.tsx';

const plain = (row: Row) => row.name || 'Unknown';
const versioned = (row: Row) => (row.version ? `${plain(row)} ${row.version}` : plain(row));
const tab = (id: string, label: string, name = plain, group = label): Tab =>
  ({ id, label, report: `devices?kind=${id}`, columns: VISIT_COLUMNS, name, group });

const SCREENS: Record<string, string> = { Mobile: 'up to 575 px', Tablet: '576\u2013991 px', Laptop: '992\u20131439 px', Desktop: '1440 px and more' };

const TABS: [Tab, ...Tab[]] = [
  tab('browser', 'Browser'), tab('browser_version', 'Browser version', versioned, 'Browser'),
  tab('os', 'OS'), tab('os_version', 'OS version', versioned, 'OS'),
  tab('device', 'Device'),
  { ...tab('screen', 'Screen'), cell: (row) => <><span class="text">{plain(row)}</span><span class="aside">{SCREENS[row.name]}</span></> },
  tab('language', 'Language', (row) => (row.name ? languageName(row.name) : 'Unknown')),
];

export const Devices = (frame: Frame) => <Panel id="devices" title="Devices" tabs={TABS} frame={frame} />;
