import { useMemo } from "react";
import type { Series } from "../api/buckets";
import type { SeriesView } from "../api/series";
import type { XAxis } from "../url/board";
import { against, axisMetric, baseAxis, stepsWithin } from "./against";
import { isDense, lookOf, type Curve } from "./curve";
import type { Span } from "./scale";
import type { DrawnRun } from "./types";
import { useSeriesSet, type SeriesResult, type Want } from "./useSeries";

export interface LineQuery {
  keys: readonly string[];
  drawn: DrawnRun[];
  context: DrawnRun[];
  x: XAxis;
  smooth: number;
  zoom: Span | null;
  /** A logarithmic x-axis: what lies at or below 0 is not asked for. */
  logX: boolean;
  buckets: number;
}

export interface Lines {
  curves: Curve[];
  pending: boolean;
  error: Error | null;
  /** Drawn runs that have the metric, but not the one that is the x-axis. */
  withoutAxis: number;
  /** Points that a logarithmic x-axis leaves out, as far as that is known. */
  dropped: number;
  retry: () => void;
}

const CONTEXT_BUCKETS = 120;
/** Buckets that all runs of a chart share, and the fewest that a line still is a line with. */
const [SHARED_BUCKETS, LEAST_BUCKETS] = [60_000, 32];
const AXIS_BUCKETS = 600;
const MARGIN = 0.02;
/** Steps and milliseconds are whole: the first that a logarithmic axis has a place for. */
const LEAST_X = 1;

/** How many buckets each of so many runs gets: a thousand lines need not be as fine as ten. */
export const bucketsFor = (runs: number, wish: number) => Math.min(wish, Math.max(LEAST_BUCKETS, Math.floor(SHARED_BUCKETS / Math.max(1, runs))));

/** What the server is asked for a zoom: a little more, so that lines run on to the edge. */
export function rangeOf(zoom: Span | null): { start: number | null; end: number | null } {
  const margin = zoom ? (zoom[1] - zoom[0]) * MARGIN : 0;
  return { start: zoom ? Math.floor(zoom[0] - margin) : null, end: zoom ? Math.ceil(zoom[1] + margin) : null };
}

/** The metric that is the x-axis, over its whole length and, zoomed in, finer; nothing for steps and time. */
function useAxis(x: XAxis, runIds: string[], zoom: Span | null) {
  const key = axisMetric(x);
  const whole: SeriesView = { x: "step", start: null, end: null, buckets: AXIS_BUCKETS, smoothing: 0 };
  const [all] = useSeriesSet([{ runIds: key === null ? [] : runIds, key: key ?? "", view: whole }]);
  const steps = key !== null && zoom ? stepsWithin(all!.found.values(), zoom) : zoom;
  const fine = key !== null && zoom !== null && steps !== null;
  const [near] = useSeriesSet([{ runIds: fine ? runIds : [], key: key ?? "", view: { ...whole, ...rangeOf(steps) } }]);
  return { key, steps, found: fine && near!.found.size ? near!.found : all!.found, pending: key !== null && (all!.pending || near!.pending), error: all!.error };
}

function toCurves(key: string, at: number, of: number, runs: DrawnRun[], found: Map<string, Series>, smooth: boolean, axis: Map<string, Series> | null): Curve[] {
  const drawn = runs.filter((r) => r.slot !== null).length;
  return runs.flatMap((run) => {
    const own = found.get(run.id);
    const axisOf = axis?.get(run.id);
    const series = own && axis ? (axisOf ? against(own, axisOf) : null) : own;
    const name = of === 1 ? run.name : drawn === 1 ? key : `${run.name} · ${key}`;
    return series ? [{ ...run, ...lookOf(run, at, of, drawn), key, name, series, smooth, band: false }] : [];
  });
}

/** The curves of some metrics for some runs: the coloured ones and, behind them, grey ones of the first metric. */
export function useLines({ keys, drawn, context, x, smooth, zoom, logX, buckets }: LineQuery): Lines {
  const ids = useMemo(() => drawn.map((r) => r.id), [drawn]);
  const grey = useMemo(() => context.map((r) => r.id), [context]);
  const everybody = useMemo(() => [...ids, ...grey], [ids, grey]);
  const axis = useAxis(x, everybody, zoom);
  const positive = logX && axis.key === null;
  const range = rangeOf(axis.steps);
  const view = { x: baseAxis(x), ...range, start: positive ? Math.max(LEAST_X, range.start ?? LEAST_X) : range.start, smoothing: smooth };
  const wants: Want[] = keys.map((key) => ({ runIds: ids, key, view: { ...view, buckets: bucketsFor(ids.length, buckets) } }));
  if (grey.length && keys[0] !== undefined) wants.push({ runIds: grey, key: keys[0], view: { ...view, buckets: bucketsFor(grey.length, CONTEXT_BUCKETS) } });
  const results = useSeriesSet(wants);
  const founds = results.map((r) => r.found);
  const axisFound = axis.key === null ? null : axis.found;
  const curves = useMemo(() => {
    const dense = (found: Map<string, Series>) => smooth > 0 && isDense(found.values());
    const own = keys.flatMap((key, i) => toCurves(key, i, keys.length, drawn, founds[i]!, dense(founds[i]!), axisFound));
    const behind = founds.length > keys.length ? toCurves(keys[0]!, 0, 1, context, founds[keys.length]!, dense(founds[0]!), axisFound) : [];
    return [...behind, ...own];
    // The results are known by their maps, whose number does not change without the keys.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [keys, drawn, context, smooth, axisFound, ...founds.slice(0, 16), founds.length]);
  const lacking = axisFound ? ids.filter((id) => !axisFound.has(id) && keys.some((_, i) => founds[i]!.has(id))).length : 0;
  const dropped = useMemo(() => (positive && !zoom ? curves.filter((c) => c.slot !== null).reduce((sum, { series }) => sum + series.points - shownPoints(series), 0) : 0), [positive, zoom, curves]);
  return {
    dropped, curves, pending: results.some((r) => r.pending) || axis.pending, error: firstError(results, keys.length) ?? axis.error, withoutAxis: axis.pending ? 0 : lacking,
    retry: () => results.forEach((r) => r.retry()),
  };
}

function shownPoints({ n, cols }: Series): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += cols.count[i]! + cols.nan[i]! + cols.pos_inf[i]! + cols.neg_inf[i]!;
  return sum;
}

function firstError(results: SeriesResult[], keys: number): Error | null {
  return results.slice(0, keys).find((r) => r.error)?.error ?? null;
}
