// A panel in full: every column, page by page, and as a file.
import { useState } from 'preact/hooks';
import { type ApiError, call, report, type Rows } from './api.ts';
import { csv } from './csv.ts';
import { useReport } from './data.ts';
import { exact, spanText } from './format.ts';
import { Modal } from './modal.tsx';
import { go, linkTo } from './navigate.ts';
import { Nothing, openTab, type PanelProps, Search, Table } from './panel.tsx';
import { Icon, Problem } from './ui.tsx';

const ROWS = 50;
const FILE_ROWS = 1000;
const FILE_REQUESTS_MAX = 100;

export function Details(props: PanelProps) {
  const { id, title, frame } = props;
  const { site, span, view } = frame;
  const tab = openTab(props);
  const wanted = view.search[id] ?? '';
  const [failure, setFailure] = useState('');
  const [isSaving, setSaving] = useState(false);
  const address = (limit: number, offset: number) => report(site.id, tab.report, { ...span, limit, offset, search: wanted });
  const { data, error, isStale, retry } = useReport<Rows>(address(ROWS, (view.page - 1) * ROWS), frame.generation);
  const pages = data ? Math.ceil(data.total / ROWS) : 1;

  const save = async () => {
    setSaving(true);
    setFailure('');
    try {
      const keys = new Set<string>();
      const rows: Rows['rows'] = [];
      for (let request = 0; request < FILE_REQUESTS_MAX; request += 1) {
        const answer = await call<Rows>(address(FILE_ROWS, rows.length));
        rows.push(...answer.rows);
        if (answer.rows.length === 0 || rows.length >= answer.total) break;
      }
      rows.forEach((row) => Object.keys(row).forEach((key) => keys.add(key)));
      const text = csv([[...keys], ...rows.map((row) => [...keys].map((key) => {
        const value = row[key as keyof typeof row] ?? '';
        return typeof value === 'object' ? value.map(({ currency, milli }) => `${milli / 1000} ${currency}`).join('; ') : value;
      }))]);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
      link.download = `${site.domain}-${tab.id}-${span.from}-${span.until}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    } catch (problem) {
      setFailure((problem as ApiError).message);
    }
    setSaving(false);
  };

  return (
    <Modal name={view.event && id === 'events' ? `Properties of ${view.event}` : `${title}: ${tab.label}`} class="drawer" onClose={() => go({ details: null, page: 1 })}>
      <div class="drawer-tools">
        <Search id={id} frame={frame} />
        <button type="button" class="button" onClick={save} disabled={isSaving || !data?.total}><Icon name="save" /> {isSaving ? 'Saving…' : 'CSV'}</button>
      </div>
      <p class="hint">{spanText(span)}{data ? `, ${exact(data.total)} ${data.total === 1 ? 'row' : 'rows'}` : ''}</p>
      {failure && <p class="error" role="alert">{failure}</p>}
      <div class={isStale && data ? 'scroll stale' : 'scroll'} role="region" tabIndex={0} aria-label="Rows" aria-busy={isStale}>
        <Table frame={frame} head={tab.head ?? tab.label} isFull tab={tab} rows={data?.rows ?? null} columns={tab.columns}>
          {error && !data ? <Problem error={error} retry={retry} /> : data?.rows.length === 0 && <Nothing tab={tab} wanted={wanted} />}
        </Table>
      </div>
      {pages > 1 && (
        <nav class="pager" aria-label="Pages of rows">
          {view.page > 1 ? <a class="button" {...linkTo({ page: view.page - 1 })}><Icon name="left" /> Back</a> : <span />}
          <span>Page {view.page} of {exact(pages)}</span>
          {view.page < pages ? <a class="button" {...linkTo({ page: view.page + 1 })}>Next <Icon name="right" /></a> : <span />}
        </nav>
      )}
    </Modal>
  );
}
