import { useCallback, useEffect, useMemo, useState } from "react";
import { formatCount, formatNumber } from "../model/format";
import { locale, t } from "../i18n";
import { useStore } from "../ui/hooks";
import type { BoardView, ChartOptions } from "../url/board";
import { positivePart } from "./against";
import { xLabels } from "./axes";
import { FEW, isScheduled, type Curve } from "./curve";
import { hotRun } from "./hot";
import type { CursorAt } from "./Plot";
import { nearestBucket, xSpan, yRange, type Span } from "./scale";
import { readings, type Reading } from "./readings";
import type { GroupSource } from "../api/groupBuckets";
import type { ChartSpec, DrawnRun } from "./types";
import { useGroupLines } from "./useGroupLines";
import { useLines } from "./useLines";

export interface ChartQuery {
  spec: ChartSpec;
  drawn: DrawnRun[];
  context: DrawnRun[];
  groups: GroupSource | null;
  view: BoardView;
  options: ChartOptions;
  lower: boolean;
  lead: string | null;
  buckets: number;
}

const NO_RUNS: DrawnRun[] = [];

/** Steps and elapsed times that begin near zero are shown from zero. */
function fromZero(span: Span | null, x: BoardView["x"]): Span | null {
  return span && x !== "time" && span[0] > 0 && span[0] < span[1] * 0.2 ? [0, span[1]] : span;
}

export function xTitle(x: BoardView["x"], at: number): string {
  if (x === "step") return t.step(formatCount(Math.round(at), locale));
  return x.startsWith("metrics.") ? `${x.slice(8)} ${formatNumber(at, locale)}` : xLabels(x, [at, at + 1000], locale)[0]!;
}

/** One sentence of what a chart shows, for who cannot see it. */
export function summary(title: string, curves: Curve[], lower: boolean): string {
  let best: { v: number; x: number } | null = null;
  const coloured = curves.filter((c) => c.slot !== null);
  for (const { series: { n, cols } } of coloured)
    for (let i = 0; i < n; i++) {
      const v = lower ? cols.min[i]! : cols.max[i]!;
      if (cols.count[i] && (best === null || (lower ? v < best.v : v > best.v))) best = { v, x: cols.x[i]! };
    }
  const text = t.chartSummary(title, new Set(coloured.map((c) => c.id)).size);
  return best ? `${text}, ${t.bestAt(formatNumber(best.v, locale), formatCount(best.x, locale))}` : text;
}

/** What of the curves has a place on the axes, and how many points have none. */
function placed(curves: Curve[], logX: boolean): { curves: Curve[]; dropped: number } {
  if (!logX) return { curves, dropped: 0 };
  let dropped = 0;
  const kept = curves.map((curve) => {
    const cut = positivePart(curve.series);
    if (curve.slot !== null) dropped += cut.dropped;
    return { ...curve, series: cut.series };
  });
  return { curves: kept, dropped };
}

/** The crosshair stands on a bucket of the leading curve where that has one near, else of any, so that steps are whole. */
function snapTo(curves: Curve[], lead: string | null, at: number, span: Span): number {
  const near = (curve: Curve) => nearestBucket(curve.series, at, (span[1] - span[0]) * 0.03);
  const one = curves.find((c) => c.id === lead && near(c) >= 0) ?? curves.find((c) => c.slot !== null && near(c) >= 0);
  return one ? one.series.cols.x[near(one)]! : at;
}

/** The next bucket of the leading curve, else of the first. */
function besides(curves: Curve[], lead: string | null, at: number, by: -1 | 1): number {
  const one = curves.find((c) => c.id === lead && c.series.n) ?? curves.find((c) => c.slot !== null && c.series.n);
  if (!one) return at;
  const { n, cols } = one.series;
  const i = nearestBucket(one.series, at, Infinity);
  return cols.x[Math.min(n - 1, Math.max(0, cols.x[i] === at ? i + by : i))]!;
}

const PICK_PX = 24;

/** Emphasises the line nearest to the pointer while it is over this chart. */
function usePointerHot(cursor: CursorAt | null, listed: Reading[]): void {
  const own = cursor?.own ?? false;
  useEffect(() => {
    if (!cursor?.own) return;
    let near: { id: string; d: number } | null = null;
    for (const { curve, value } of listed) {
      const d = Number.isFinite(value) ? Math.abs(cursor.yToTop(value) - cursor.top) : Infinity;
      if (d < PICK_PX && (near === null || d < near.d)) near = { id: curve.id, d };
    }
    hotRun.set(near?.id ?? null);
  }, [cursor, listed]);
  useEffect(() => {
    if (own) return () => hotRun.set(null);
  }, [own]);
}

/** Everything a chart shows, from its curves to what stands under the crosshair. */
export function useChart({ spec, drawn, context, groups, view, options, lower, lead, buckets }: ChartQuery) {
  const [cursor, setCursor] = useState<CursorAt | null>(null);
  const [pinned, setPinned] = useState<CursorAt | null>(null);
  const hot = useStore(hotRun);
  const { x, zoom, band } = view;
  const grouped = groups !== null;
  const smooth = options.smooth ?? view.smooth;
  const [logX, logY] = [(options.logX ?? false) && x !== "time", options.logY ?? false];
  const lines = useLines({ keys: spec.keys, drawn: grouped ? NO_RUNS : drawn, context: grouped || spec.keys.length > 1 ? NO_RUNS : context, x, smooth, zoom, logX, buckets });
  const bands = useGroupLines(spec.keys, groups, x, band, zoom, Math.min(buckets, 400));
  const all = grouped ? bands.curves : lines.curves;
  const { curves, dropped } = useMemo(() => placed(all, logX), [all, logX]);

  const extent = useMemo(() => xSpan(curves.filter((c) => c.slot !== null || !drawn.length).map((c) => c.series)), [curves, drawn.length]);
  const span = useMemo<Span>(() => {
    if (zoom && !(logX && zoom[0] <= 0)) return zoom;
    const whole = logX ? extent : fromZero(extent, x);
    const low = logX && zoom && extent ? extent[0] : null;
    return low !== null ? [low, zoom![1]] : (whole ?? (logX ? [1, 10] : [0, 1]));
  }, [zoom, logX, extent, x]);
  const whole = options.full || spec.keys.every(isScheduled);
  const range = options.range;
  const y = useMemo(() => {
    const shown = curves.filter((c) => c.slot !== null);
    // Where the raw line is drawn behind, it is what has to fit.
    const smoothed = new Set(shown.length > FEW ? shown.filter((c) => c.smooth).map((c) => c.series) : []);
    return yRange(shown.map((c) => c.series), span, { log: logY, full: whole, smooth: (s) => smoothed.has(s), lower, range });
  }, [curves, span, logY, whole, lower, range]);
  const emphasis = useMemo(() => ({ hot: hot !== null && curves.some((c) => c.id === hot) ? hot : null, lead }), [hot, lead, curves]);
  const shown = pinned ?? cursor;
  const listed = useMemo(() => (shown ? readings(curves, shown.x, span, lower) : []), [shown, curves, span, lower]);
  usePointerHot(cursor, listed);
  return {
    curves, span, extent, y, logX, logY, emphasis, cursor: shown, listed, hot: hot ?? lead, dropped: dropped + (grouped ? 0 : lines.dropped), smooth, smoothed: curves.some((c) => c.smooth), grouped,
    pending: grouped ? bands.pending : lines.pending, error: grouped ? bands.error : lines.error, withoutAxis: lines.withoutAxis,
    retry: grouped ? bands.retry : lines.retry,
    pinned: pinned !== null,
    pin: useCallback(() => setPinned((old) => (old ? null : cursor)), [cursor]),
    onCursor: setCursor,
    snap: useCallback((at: number) => snapTo(curves, lead, at, span), [curves, lead, span]),
    neighbour: useCallback((at: number, by: -1 | 1) => besides(curves, lead, at, by), [curves, lead]),
  };
}

export type Chart = ReturnType<typeof useChart>;
