// The chart's figures as a table, all metrics side by side.
import type { Interval, Point } from './api.ts';
import { MEASURES, METRICS, NONE, stepName } from './format.ts';
import type { Span } from './hours.ts';

export function CourseTable({ points, interval, span, isRunning }: { points: Point[]; interval: Interval; span: Span; isRunning: boolean }) {
  return (
    <div class="plot-table" role="region" tabIndex={0} aria-label="The chart as a table">
      <table>
        <thead><tr><th scope="col">{interval}</th>{METRICS.map((metric) => <th key={metric} scope="col">{MEASURES[metric].label}</th>)}</tr></thead>
        <tbody>
          {points.map((point, index) => (
            <tr key={point.t}>
              <th scope="row">{stepName(point.t, interval, span)}{isRunning && index === points.length - 1 ? ', so far' : ''}</th>
              {METRICS.map((metric) => {
                const value = MEASURES[metric].of(point);
                return <td key={metric}>{value === null ? NONE : MEASURES[metric].show(value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
