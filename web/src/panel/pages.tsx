// Which pages were seen, and where visits began and ended.
import type { Row } from '../api.ts';
import type { Frame } from '../dashboard.tsx';
import { BOUNCE, DURATION, ENGAGED, Panel, SCROLL, type Tab, VIEWS, VISITS } from '../panel.tsx';
import { Icon } from '../ui.tsx';

export function Pages(frame: Frame) {
  const name = (row: Row) => row.name || '(no path)';
  const cell = (row: Row) => (
    <>
      <span class="text">{name(row)}</span>
      {row.name.startsWith('/') && !frame.site.demo && <a class="out" href={`https://${frame.site.domain}${row.name}`} target="_blank" rel="noopener noreferrer" aria-label={`Open ${row.name}`}><Icon name="open" /></a>}
    </>
  );
  const tabs: [Tab, ...Tab[]] = [
    { id: 'pages', label: 'Top', head: 'Page', report: 'pages', columns: [VIEWS, ENGAGED, SCROLL], name, cell },
    { id: 'entry', label: 'Entry', head: 'Entry page', report: 'entry-pages', columns: [VISITS, BOUNCE, DURATION], name, cell },
    { id: 'exit', label: 'Exit', head: 'Exit page', report: 'exit-pages', columns: [VISITS], name, cell },
  ];
  return <Panel id="pages" title="Pages" tabs={tabs} frame={frame} />;
}
