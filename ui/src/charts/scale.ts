import type { Series } from "../api/buckets";

export type Span = [low: number, high: number];

/** Evenly spaced round numbers inside a range, about `wish` of them. */
export function ticks([low, high]: Span, wish: number): number[] {
  const raw = (high - low) / Math.max(1, wish);
  if (!(raw > 0) || !Number.isFinite(raw)) return [low];
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * size).find((s) => s >= raw * 0.999) ?? 10 * size;
  const out: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) out.push(Number((i * step).toPrecision(12)));
  return out;
}

/** 1, 2, 5 a decade when few decades are in view, else the powers of ten. */
export function logTicks([low, high]: Span, wish: number): number[] {
  const decades = Math.log10(high / low);
  const digits = decades <= 1.3 ? [1, 2, 3, 5] : decades <= 3 ? [1, 3] : [1];
  const stride = Math.max(1, Math.ceil(decades / wish));
  const out: number[] = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e += digits.length > 1 ? 1 : stride)
    for (const d of digits) if (d * 10 ** e >= low * 0.999 && d * 10 ** e <= high * 1.001) out.push(Number((d * 10 ** e).toPrecision(12)));
  return out.length >= 2 ? out : ticks([low, high], wish).filter((v) => v > 0);
}

/** Tick labels with equal decimals; thousands shorten to k, M, G. */
export function tickLabels(values: number[], locale: string, percent = false): string[] {
  const most = Math.max(...values.map(Math.abs), 0);
  const [unit, name] = most >= 1e9 ? [1e9, "G"] : most >= 1e6 ? [1e6, "M"] : most >= 1e4 ? [1e3, "k"] : [1, ""];
  const exact = (d: number) => values.every((v) => Math.abs((v / unit) * 10 ** d - Math.round((v / unit) * 10 ** d)) < 1e-6);
  if (most > 0 && (most < 1e-3 || (most < 1e-2 && !exact(3)))) return values.map((v) => (v === 0 ? "0" : Number(v.toPrecision(3)).toExponential().replace("e+", "e").replace(/^-/, "−")));
  const decimals = [0, 1, 2, 3, 4].find(exact) ?? 5;
  const format = new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals, useGrouping: false });
  return values.map((v) => format.format(v / unit).replace(/^-/, "−") + name + (percent ? "%" : ""));
}

/** Labels for a logarithmic axis: each by its own size. */
export function logLabels(values: number[], locale: string): string[] {
  return values.map((v) => (v >= 1e4 || v < 1e-3 ? v.toExponential(0).replace("e+", "e") : new Intl.NumberFormat(locale, { maximumFractionDigits: 4, useGrouping: false }).format(v)));
}

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400].map((s) => s * 1000);

/** Tick positions in milliseconds: whole seconds, minutes, hours or days. `offset` aligns wall clock times to local midnight. */
export function timeTicks([low, high]: Span, wish: number, offset = 0): number[] {
  const raw = (high - low) / Math.max(1, wish);
  const day = 86_400_000;
  const step = raw < 1000 ? Math.max(1, 10 ** Math.ceil(Math.log10(raw))) : (TIME_STEPS.find((s) => s >= raw) ?? Math.ceil(raw / day) * day);
  const out: number[] = [];
  for (let v = Math.ceil((low - offset) / step) * step + offset; v <= high; v += step) out.push(v);
  return out;
}

/** The x-range over all series; null when there is none. */
export function xSpan(series: Iterable<Series>): Span | null {
  let span: Span | null = null;
  for (const s of series) {
    if (!s.n) continue;
    span = span ? [Math.min(span[0], s.xMin), Math.max(span[1], s.xMax)] : [s.xMin, s.xMax];
  }
  return span && (span[0] === span[1] ? [span[0] - 0.5, span[1] + 0.5] : span);
}

/** Bucket values that a y-range should hold: the line, and both ends of every bucket when `ends`. */
function collect(series: Iterable<Series>, x: Span, smooth: (series: Series) => boolean, skipEarly: boolean, positive: boolean): number[] {
  const from = skipEarly ? x[0] + 0.05 * (x[1] - x[0]) : x[0];
  const out: number[] = [];
  for (const one of series)
    for (let i = 0; i < one.n; i++) {
      const { cols } = one;
      if (cols.x_last[i]! < from || cols.x[i]! > x[1] || !cols.count[i]) continue;
      for (const v of smooth(one) ? [cols.smooth[i]!] : [cols.min[i]!, cols.max[i]!]) if (Number.isFinite(v) && (!positive || v > 0)) out.push(v);
    }
  return out;
}

export interface YRange {
  span: Span;
  /** Buckets outside the view, by side. */
  above: number;
  below: number;
  /** True when each of those buckets is one point. */
  single: boolean;
}

function pad([low, high]: Span, log: boolean): Span {
  if (log) {
    const by = Math.max(1.05, (high / low) ** 0.05);
    return [low / by, high * by];
  }
  const by = high > low ? 0.05 * (high - low) : Math.abs(high) * 0.1 || 0.5;
  return [low - by, high + by];
}

function countOutside(series: Iterable<Series>, x: Span, [low, high]: Span): Omit<YRange, "span"> {
  let [above, below, single] = [0, 0, true];
  for (const { n, cols } of series)
    for (let i = 0; i < n; i++) {
      if (cols.x_last[i]! < x[0] || cols.x[i]! > x[1]) continue;
      const [over, under] = [cols.max[i]! > high, cols.min[i]! < low];
      above += Number(over);
      below += Number(under);
      if ((over || under) && cols.count[i]! > 1) single = false;
    }
  return { above, below, single };
}

/** The last finite value of every series in view. */
function ends(series: Series[], x: Span): number[] {
  return series.flatMap(({ n, cols }) => {
    let i = indexAt(cols.x, n, x[1]);
    while (i >= 0 && !cols.count[i]) i--;
    return i < 0 ? [] : [cols.last[i]!];
  });
}

/**
 * The y-range: `range` where that is given, else robust (1st to 99th percentile after 5 % of the steps) unless `full`, or unless the rest
 * is near anyway. On the better side the end of every curve stays in view: the best run is never cut off.
 */
export function yRange(all: Series[], x: Span, options: { log: boolean; full: boolean; smooth: (series: Series) => boolean; lower: boolean; range?: Span }): YRange {
  if (options.range && !(options.log && options.range[0] <= 0)) return { span: options.range, ...countOutside(all, x, options.range) };
  const everything = collect(all, x, () => false, false, options.log).sort((a, b) => a - b);
  if (!everything.length) return { span: options.log ? [0.1, 1] : [0, 1], above: 0, below: 0, single: true };
  const whole: Span = [everything[0]!, everything[everything.length - 1]!];
  const late = collect(all, x, options.smooth, true, options.log).sort((a, b) => a - b);
  if (options.full || options.log || late.length < 20) return { span: pad(whole, options.log), above: 0, below: 0, single: true };
  const core: Span = [late[Math.floor(late.length * 0.01)]!, late[Math.min(late.length - 1, Math.ceil(late.length * 0.99))]!];
  for (const end of ends(all, x)) {
    if (options.lower) core[0] = Math.min(core[0], end);
    else core[1] = Math.max(core[1], end);
  }
  const near = whole[1] - whole[0] <= 1.15 * (core[1] - core[0]);
  if (near) return { span: pad(whole, false), above: 0, below: 0, single: true };
  const span = pad(core, false);
  if (whole[0] >= 0 && span[0] < 0) span[0] = 0;
  return { span, ...countOutside(all, x, span) };
}

/** Index of the last value at or below `x` in an ascending column, or -1. */
export function indexAt(column: ArrayLike<number>, n: number, x: number): number {
  let [low, high] = [0, n];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (column[mid]! <= x) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

/** The bucket nearest to `x`, unless `x` is past the series' ends by more than `reach`. */
export function nearestBucket({ n, cols }: Series, x: number, reach: number): number {
  if (!n) return -1;
  const i = indexAt(cols.x, n, x);
  const left = Math.max(0, i);
  const right = Math.min(n - 1, left + 1);
  const distance = (k: number) => (x < cols.x[k]! ? cols.x[k]! - x : Math.max(0, x - cols.x_last[k]!));
  const best = distance(right) < distance(left) ? right : left;
  return distance(best) <= reach ? best : -1;
}
