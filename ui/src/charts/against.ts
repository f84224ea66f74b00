import type { BucketColumn, Series } from "../api/buckets";
import type { BaseAxis, XAxis } from "../url/board";
import type { Span } from "./scale";

/** The metric that an axis is, or null when it is steps or time. */
export const axisMetric = (x: XAxis): string | null => (x.startsWith("metrics.") ? x.slice(8) : null);
/** What the server is asked for: against a metric, the steps that both metrics share. */
export const baseAxis = (x: XAxis): BaseAxis => (x === "time" || x === "relative" ? x : "step");

interface Knots {
  steps: number[];
  values: number[];
}

/** Steps with the axis metric's finite values, two a bucket where it holds several points. */
function knotsOf({ n, cols }: Series): Knots {
  const knots: Knots = { steps: [], values: [] };
  const add = (step: number, value: number) => {
    if (!Number.isFinite(value)) return;
    knots.steps.push(step);
    knots.values.push(value);
  };
  for (let i = 0; i < n; i++) {
    if (!cols.count[i]) continue;
    add(cols.x[i]!, cols.first[i]!);
    if (cols.x_last[i]! > cols.x[i]!) add(cols.x_last[i]!, cols.last[i]!);
  }
  return knots;
}

/** The axis metric at a step: on the line between its neighbours, at the ends the end's value. */
function valueAt({ steps, values }: Knots, step: number): number {
  let [low, high] = [0, steps.length - 1];
  if (step <= steps[low]!) return values[low]!;
  if (step >= steps[high]!) return values[high]!;
  while (high - low > 1) {
    const mid = (low + high) >> 1;
    if (steps[mid]! <= step) low = mid;
    else high = mid;
  }
  const share = (step - steps[low]!) / (steps[high]! - steps[low]! || 1);
  return values[low]! + share * (values[high]! - values[low]!);
}

function reordered(series: Series, x: Float64Array, xLast: Float64Array): Series {
  const order = Array.from({ length: series.n }, (_, i) => i).sort((a, b) => x[a]! - x[b]!);
  const cols = {} as Record<BucketColumn, Float64Array>;
  for (const name of Object.keys(series.cols) as BucketColumn[]) {
    const from = name === "x" ? x : name === "x_last" ? xLast : series.cols[name];
    cols[name] = Float64Array.from(order, (i) => from[i]!);
  }
  return { ...series, cols };
}

const made = new WeakMap<Series, WeakMap<Series, Series | null>>();

/** A series drawn against another metric of its run, joined by step; null where that was never finite. */
export function against(series: Series, axis: Series): Series | null {
  const known = made.get(series)?.get(axis);
  if (known !== undefined) return known;
  const result = join(series, axis);
  if (!made.has(series)) made.set(series, new WeakMap());
  made.get(series)!.set(axis, result);
  return result;
}

function join(series: Series, axis: Series): Series | null {
  const knots = knotsOf(axis);
  if (!knots.steps.length) return null;
  const { n, cols } = series;
  const [x, xLast] = [new Float64Array(n), new Float64Array(n)];
  let [ascending, low, high] = [true, Infinity, -Infinity];
  for (let i = 0; i < n; i++) {
    const [a, b] = [valueAt(knots, cols.x[i]!), valueAt(knots, cols.x_last[i]!)];
    [x[i], xLast[i]] = [Math.min(a, b), Math.max(a, b)];
    if (i > 0 && x[i]! < x[i - 1]!) ascending = false;
    [low, high] = [Math.min(low, x[i]!), Math.max(high, xLast[i]!)];
  }
  const joined = { ...series, xMin: n ? low : 0, xMax: n ? high : 0 };
  return ascending ? { ...joined, cols: { ...cols, x, x_last: xLast } } : reordered(joined, x, xLast);
}

/** The steps in which the axis metric of any run lies in a span; null when in none. */
export function stepsWithin(axes: Iterable<Series>, [low, high]: Span): Span | null {
  let span: Span | null = null;
  for (const { n, cols } of axes)
    for (let i = 0; i < n; i++) {
      const next = Math.min(i + 1, n - 1);
      if (!cols.count[i] || Math.max(cols.max[i]!, cols.last[next]!) < low || Math.min(cols.min[i]!, cols.first[next]!) > high) continue;
      const [from, to] = [cols.x[i]!, cols.x_last[next]!];
      span = span ? [Math.min(span[0], from), Math.max(span[1], to)] : [from, to];
    }
  return span;
}

/** What of a series has a place on a logarithmic axis, and how many points have none. */
export function positivePart(series: Series): { series: Series; dropped: number } {
  const { n, cols } = series;
  let from = 0;
  let dropped = 0;
  while (from < n && !(cols.x[from]! > 0)) dropped += cols.count[from++]!;
  if (from === 0) return { series, dropped: 0 };
  const cut = Object.fromEntries(Object.entries(cols).map(([name, column]) => [name, column.subarray(from)])) as Series["cols"];
  return { series: { ...series, n: n - from, cols: cut, xMin: n > from ? cut.x[0]! : 0 }, dropped };
}
