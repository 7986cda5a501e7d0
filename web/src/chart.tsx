// The only user of uPlot: made once, then given data and size. Steps are numbered, not timed, so that a day with 23
// or 25 hours and a month of 28 days are drawn as what they are: one step each.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Interval, Point } from './api.ts';
import { MEASURES, type Metric, stepName, stepTick } from './format.ts';
import type { Span } from './hours.ts';

export interface ChartProps { points: Point[]; interval: Interval; metric: Metric; span: Span; isRunning: boolean }

const HEIGHT = 300;
const BARS_MAX = 14;
const TICK_WIDTH = 76;
const TIME_INCREMENTS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].map((seconds) => seconds * 1000);
const NEAT_STEPS: Record<Interval, number[]> = { hour: [1, 2, 3, 4, 6, 12, 24], day: [1, 2, 4, 7, 14, 28, 56, 112], week: [1, 2, 4, 8, 13, 26], month: [1, 2, 3, 6, 12] };

const hasBars = ({ points, interval }: ChartProps) => points.length < 3 || (points.length <= BARS_MAX && interval !== 'hour');
const isOneDay = ({ points }: ChartProps) => points[0]?.t.slice(0, 10) === points.at(-1)?.t.slice(0, 10);

/** Steps that get a label: midnights for hours of several days, and never more than fit. */
function ticks(props: ChartProps, width: number): number[] {
  const { points, interval } = props;
  const isDays = interval === 'hour' && !isOneDay(props);
  const all = points.flatMap(({ t }, index) => (!isDays || t.slice(11, 13) === '00' ? [index] : []));
  const fits = Math.max(2, Math.floor(width / TICK_WIDTH));
  const step = NEAT_STEPS[isDays ? 'day' : interval].find((candidate) => all.length / candidate <= fits) ?? Math.ceil(all.length / fits);
  return all.filter((_, index) => index % step === 0);
}

/** The steps, the line of what is closed, and the part that still grows. */
function series(props: ChartProps): uPlot.AlignedData {
  const values = props.points.map((point) => MEASURES[props.metric].of(point));
  const last = values.length - 1;
  const steady = props.isRunning ? values.map((value, index) => (index === last ? null : value)) : values;
  const growing = values.map((value, index) => (props.isRunning && (index === last || (index === last - 1 && !hasBars(props))) ? value : null));
  return [values.map((_, index) => index), steady, growing];
}

const translucent = (colour: string, alpha: number) => colour.replace(/^rgba?\(([^,]+,[^,]+,[^,)]+).*/, `rgba($1, ${alpha})`);

function options(host: HTMLElement, current: () => ChartProps, onIndex: (index: number | null) => void): uPlot.Options {
  const style = getComputedStyle(host);
  const accent = () => style.color;
  const line = uPlot.paths.linear?.();
  const bars = uPlot.paths.bars?.({ size: [0.62, 72], radius: 0.12 });
  const paths: uPlot.Series.PathBuilder = (u, index, from, until) => (hasBars(current()) ? bars : line)?.(u, index, from, until) ?? null;
  const area = (u: uPlot) => {
    const gradient = u.ctx.createLinearGradient(0, u.bbox.top, 0, u.bbox.top + u.bbox.height);
    const top = hasBars(current()) ? 0.55 : 0.2;
    gradient.addColorStop(0, translucent(accent(), top));
    gradient.addColorStop(1, translucent(accent(), hasBars(current()) ? 0.35 : 0));
    return gradient;
  };
  const axis = { stroke: () => style.caretColor, font: `12px ${style.fontFamily}` };
  const format = (value: number) => {
    const { show } = MEASURES[current().metric];
    return current().metric === 'depth' ? String(Number(value.toFixed(2))) : show(value).replace(/\.0+(?=\D)/, '').replace(/(\.\d)0(?=\D)/, '$1').replace('m 00s', 'm');
  };
  return {
    width: host.clientWidth, height: HEIGHT, legend: { show: false }, padding: [12, 8, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, move: (u, left, top) => (left < 0 ? [left, top] : [u.valToPos(u.posToIdx(left), 'x'), top]), points: { size: 9, width: 2, fill: accent, stroke: () => style.columnRuleColor } },
    scales: {
      x: { time: false, range: (_u, min, max) => (hasBars(current()) ? [min - 0.5, max + 0.5] : [min, max]) },
      y: { range: (_u, _min, max) => [0, (max || 1) * 1.06] },
    },
    series: [
      {},
      { paths, stroke: accent, width: 2, fill: area, points: { show: false } },
      { paths, stroke: accent, width: 2, dash: [5, 5], fill: (u) => (hasBars(current()) ? translucent(accent(), 0.12) : area(u)), points: { show: false } },
    ],
    axes: [
      { ...axis, size: 30, gap: 8, grid: { show: false }, ticks: { show: false }, splits: (u) => ticks(current(), u.width),
        values: (_u, found) => found.map((index) => { const step = current().points[index]; return step ? stepTick(step.t, current().interval, isOneDay(current())) : ''; }) },
      { ...axis, size: 52, gap: 8, space: 56, grid: { stroke: () => style.borderTopColor, width: 1 }, ticks: { show: false },
        incrs: () => (current().metric === 'duration' ? TIME_INCREMENTS : current().metric === 'bounce' ? [0.01, 0.02, 0.05, 0.1, 0.2, 0.25] : current().metric === 'depth' ? [0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10] : [1, 2, 5].flatMap((n) => [n, n * 10, n * 100, n * 1e3, n * 1e4, n * 1e5, n * 1e6, n * 1e7, n * 1e8]).sort((a, b) => a - b)),
        values: (_u, found) => found.map((value) => format(value)) },
    ],
    hooks: { setCursor: [(u) => onIndex(u.cursor.left !== undefined && u.cursor.left >= 0 ? u.cursor.idx ?? null : null)] },
  };
}

export function Chart(props: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [index, setIndex] = useState<number | null>(null);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = new uPlot(options(element, () => latest.current, setIndex), series(latest.current), element);
    plot.current = made;
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    const redraw = () => made.redraw(false, true);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', redraw);
    addEventListener('theme', redraw);
    return () => {
      resize.disconnect();
      scheme.removeEventListener('change', redraw);
      removeEventListener('theme', redraw);
      made.destroy();
    };
  }, []);
  useEffect(() => {
    plot.current?.setData(series(props));
    setIndex(null);
  }, [props.points, props.metric]);

  const { points, interval, metric, span, isRunning } = props;
  const measure = MEASURES[metric];
  const describe = (at: number) => {
    const point = points[at];
    const value = point && measure.of(point);
    return {
      value: value === null || value === undefined ? 'none' : measure.show(value),
      when: (point ? stepName(point.t, interval, span) : '') + (isRunning && at === points.length - 1 ? ', so far' : ''),
    };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = points.length - 1;
    const at = index ?? (event.key === 'ArrowLeft' ? last + 1 : -1);
    const target = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    const u = plot.current;
    if (target === undefined || !u) return;
    event.preventDefault();
    u.setCursor({ left: u.valToPos(Math.min(last, Math.max(0, target)), 'x'), top: 0 });
  };
  const shown = index === null ? null : describe(index);
  const at = index ?? points.length - 1;
  const u = plot.current;
  const left = index !== null && u ? u.over.offsetLeft + u.valToPos(index, 'x') : 0;
  const isRight = u !== null && left > u.width / 2;
  return (
    <div class="plot">
      <div ref={host} class={hasBars(props) ? 'canvas bars' : 'canvas'} tabIndex={0} role="slider" aria-label={`${measure.label} by ${interval}`} aria-orientation="horizontal"
        aria-valuemin={0} aria-valuemax={points.length - 1} aria-valuenow={at} aria-valuetext={`${describe(at).when}: ${describe(at).value}`}
        onKeyDown={onKeyDown} onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })} />
      {shown && <div class={isRight ? 'tip right' : 'tip'} style={{ left: `${left}px` }} aria-hidden="true"><strong>{shown.value}</strong> {measure.label.toLowerCase()}<span>{shown.when}</span></div>}
    </div>
  );
}
