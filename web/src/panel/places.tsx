// Where visitors were, as far as their address told.
import type { Row } from '../api.ts';
import type { Frame } from '../dashboard.tsx';
import { countryName } from '../names.ts';
import { Panel, type Tab, VISIT_COLUMNS } from '../panel.tsx';

const Code = ({ of }: { of: string | undefined }) => (of ? <abbr class="code" title={countryName(of)}>{of}</abbr> : null);
const tab = (id: string, label: string, head: string, name: (row: Row) => string, code: (row: Row) => string | undefined): Tab => ({
  id, label, head, report: `places?kind=${id}`, columns: VISIT_COLUMNS, name,
  cell: (row) => <><Code of={code(row)} /><span class="text">{name(row)}</span>{id === 'city' && row.region !== row.name && <span class="aside">{row.region}</span>}</>,
});

const TABS: [Tab, ...Tab[]] = [
  tab('country', 'Countries', 'Country', (row) => countryName(row.name) || 'Unknown', (row) => row.name),
  tab('region', 'Regions', 'Region', (row) => row.name || 'Unknown', (row) => row.country),
  tab('city', 'Cities', 'City', (row) => row.name || 'Unknown', (row) => row.country),
];

export const Places = (frame: Frame) => (
  <Panel id="places" title="Places" tabs={TABS} frame={frame}
    foot={<a class="credit" href="https://db-ip.com" target="_blank" rel="noopener">IP geolocation by DB-IP</a>} />
);
