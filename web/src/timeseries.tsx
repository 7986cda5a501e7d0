// The course of the chosen metric: a chart, or the same as a table.
import type { Timeseries as Course, Totals } from './api.ts';
import { report } from './api.ts';
import type { Frame } from './dashboard.tsx';
import { useReport } from './data.ts';
import { localDay, spanText } from './format.ts';
import { addDays, daysIn, defaultInterval, intervalsFor, stepEnd } from './hours.ts';
import { linkTo } from './navigate.ts';
import { Icon, lazy, Problem } from './ui.tsx';

const CourseTable = lazy(() => import('./course-table.tsx').then((part) => part.CourseTable), <div class="plot" aria-busy="true" />);
const Chart = lazy(() => import('./chart.tsx').then((part) => part.Chart), <div class="plot" aria-busy="true" />);

export function Timeseries({ frame, totals }: { frame: Frame; totals: Totals | null }) {
  const { span, view, site, status } = frame;
  const days = daysIn(span);
  const choices = intervalsFor(days);
  const interval = view.by && choices.includes(view.by) ? view.by : defaultInterval(days);
  const { data, error, isStale, retry } = useReport<Course>(report(site.id, 'timeseries', { ...span, interval }), frame.generation);
  const before = { from: addDays(span.from, -days), until: span.from };
  return (
    <div class="course">
      <div class="course-head">
        <p class="hint">{!totals?.previous ? '\u00a0' : (status.first_day ?? '') > before.from ? 'The period before was not recorded in full'
          : `Change against ${spanText(before)}${span.until > status.today ? ', up to the same hour' : ''}`}</p>
        {choices.length > 1 && (
          <nav class="segments" aria-label="Steps of the chart">
            {choices.map((choice) => <a key={choice} aria-current={choice === interval} {...linkTo({ by: choice === defaultInterval(days) ? null : choice })}>{choice}</a>)}
          </nav>
        )}
        <a class="button plain" role="button" aria-pressed={view.table} aria-label="Show as a table" title="Show as a table" {...linkTo({ table: !view.table })}><Icon name="table" /></a>
      </div>
      {error && !data ? <div class="plot"><Problem error={error} retry={retry} /></div>
        : data ? <Shown {...{ frame, data, isStale }} /> : <div class="plot" aria-busy="true" />}
    </div>
  );
}

function Shown({ frame, data, isStale }: { frame: Frame; data: Course; isStale: boolean }) {
  const { span, view, status } = frame;
  const { points, interval } = data;
  if (points.length === 0) {
    return <div class="plot empty"><p>No hour of this period is closed yet.</p><p class="hint">Hours close five seconds after their end.</p></div>;
  }
  if (points.every(({ views, events }) => views === 0 && events === 0)) {
    return <div class="plot empty"><p>No hits in this period.</p>{status.first_day && <p class="hint">The first hit came on {spanText({ from: status.first_day, until: addDays(status.first_day, 1) })}.</p>}</div>;
  }
  const last = points.at(-1)?.t.slice(0, 10) ?? '';
  const isRunning = interval !== 'hour' && stepEnd(last, interval) > localDay(data.as_of, status.timezone) && span.until > localDay(data.as_of, status.timezone);
  const shown = { points, interval, span, isRunning };
  if (view.table) return <CourseTable {...shown} />;
  return <div class={isStale ? 'stale' : ''}><Chart {...shown} metric={view.metric} /></div>;
}
