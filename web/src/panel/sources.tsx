// Where visitors came from.
import type { Row } from '../api.ts';
import type { Frame } from '../dashboard.tsx';
import { Panel, type Tab, VISIT_COLUMNS } from '../panel.tsx';

const tab = (id: string, label: string, empty = 'Direct'): Tab =>
  ({ id, label, report: `sources?kind=${id}`, columns: VISIT_COLUMNS, name: (row: Row) => row.name || empty });
const campaign = (id: string, label: string): Tab =>
  ({ ...tab(id, label, '(not set)'), group: 'Campaigns', empty: `No link with ${id} brought a visitor in this period.` });

const TABS: [Tab, ...Tab[]] = [
  tab('channel', 'Channel'), tab('source', 'Source'), tab('referrer', 'Referrer', 'Direct'),
  campaign('utm_campaign', 'Campaign'), campaign('utm_source', 'UTM source'), campaign('utm_medium', 'UTM medium'),
  campaign('utm_content', 'UTM content'), campaign('utm_term', 'UTM term'),
];

export const Sources = (frame: Frame) => <Panel id="sources" title="Sources" tabs={TABS} frame={frame} />;
