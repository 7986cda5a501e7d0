// The six numbers of a range; each is a button that gives the chart its metric.
import type { Totals as TotalsAnswer } from './api.ts';
import type { Frame } from './dashboard.tsx';
import type { Report } from './data.ts';
import { change, MEASURES, METRICS, NONE, spanText } from './format.ts';
import { addDays, daysIn } from './hours.ts';
import { go } from './navigate.ts';
import { Problem } from './ui.tsx';

export function Totals({ frame, report }: { frame: Frame; report: Report<TotalsAnswer> }) {
  const { data, error, isStale, retry } = report;
  const { span, view, status } = frame;
  if (error && !data) return <div class="totals-problem"><Problem error={error} retry={retry} /></div>;
  const before = { from: addDays(span.from, -daysIn(span)), until: span.from };
  // A period that was recorded in part would make any growth look larger than it is.
  const isComparable = status.first_day !== null && status.first_day <= before.from;
  return (
    <div class={isStale && data ? 'totals stale' : 'totals'} aria-busy={isStale}>
      {METRICS.map((metric) => {
        const { label, hint, of, show, full } = MEASURES[metric];
        const now = data && of(data.totals);
        const then = data?.previous && isComparable ? of(data.previous) : null;
        const { text, tone, isDown } = change(metric, now, then);
        const against = then === null ? 'No full period before to compare with.' : `${show(then)} in ${spanText(before)}.`;
        return (
          <button key={metric} type="button" aria-pressed={metric === view.metric} title={hint} onClick={() => go({ metric })}>
            <span class="label">{label}</span>
            {data ? <span class="value" title={now === null ? '' : full(now)}>{now === null ? NONE : show(now)}</span> : <span class="value bone" />}
            {data ? <span class={`change ${tone} ${isDown ? 'down' : ''}`} title={against}><span class="unseen">Change: </span>{text}</span> : <span class="change bone" />}
          </button>
        );
      })}
    </div>
  );
}
