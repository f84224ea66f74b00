import "../styles/charts.css";
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { formatCount, formatNumber } from "../model/format";
import { isLoss, lowerIsBetter } from "../model/metrics";
import { locale, t } from "../i18n";
import { Button } from "../ui/Button";
import { useInView, useStore } from "../ui/hooks";
import { useKeys } from "../ui/keys";
import { MenuButton, type MenuEntry } from "../ui/Menu";
import { ErrorBox } from "../ui/States";
import { Swatch } from "../ui/Swatch";
import { xLabels } from "./axes";
import { isDense, isScheduled, type Curve } from "./curve";
import { hotRun } from "./hot";
import { Plot, type CursorAt } from "./Plot";
import { saveCsv, savePng } from "./save";
import { nearestBucket, xSpan, yRange, type Span } from "./scale";
import { palette } from "./theme";
import { readings, Tooltip, type Reading } from "./Tooltip";
import type { ChartSettings, DrawnRun } from "./types";
import { useSeries } from "./useSeries";

export interface ChartCardProps {
  metric: string;
  title?: ReactNode;
  drawn: DrawnRun[];
  context?: DrawnRun[];
  settings: ChartSettings;
  log: boolean;
  lower?: boolean;
  /** A second metric of the same runs in the same picture, as the eval loss beside the train loss of one run. */
  beside?: string | null;
  lead?: string | null;
  height: number;
  syncKey: string;
  onZoom: (span: Span | null) => void;
  onLog?: (log: boolean) => void;
}

const BESIDE_SLOT = 2;
const PICK_PX = 24;

/** Steps and elapsed times that begin near zero are shown from zero. */
function fromZero(span: Span | null, x: ChartSettings["x"]): Span | null {
  return span && x !== "time" && span[0] > 0 && span[0] < span[1] * 0.2 ? [0, span[1]] : span;
}

const NONE: DrawnRun[] = [];

function toCurves(runs: DrawnRun[], found: Map<string, Curve["series"]>, smooth: boolean): Curve[] {
  return runs.flatMap((run) => {
    const series = found.get(run.id);
    return series ? [{ ...run, series, smooth }] : [];
  });
}

function xTitle(x: ChartSettings["x"], at: number): string {
  return x === "step" ? t.step(formatCount(Math.round(at), locale)) : xLabels(x, [at, at + 1000], locale)[0]!;
}

function summary(metric: string, curves: Curve[], lower: boolean): string {
  let best: { v: number; x: number } | null = null;
  for (const { slot, series: { n, cols } } of curves)
    for (let i = 0; slot !== null && i < n; i++) {
      const v = lower ? cols.min[i]! : cols.max[i]!;
      if (cols.count[i] && (best === null || (lower ? v < best.v : v > best.v))) best = { v, x: cols.x[i]! };
    }
  const text = t.chartSummary(metric, curves.filter((c) => c.slot !== null).length);
  return best ? `${text}, ${t.bestAt(formatNumber(best.v, locale), formatCount(best.x, locale))}` : text;
}

/** One metric as a card. Its data is asked for and its canvas mounted only near the view; its height never changes. */
export function ChartCard(props: ChartCardProps) {
  const card = useRef<HTMLElement>(null);
  const inView = useInView(card);
  const [full, setFull] = useState(false);
  const { metric, title = metric, height } = props;
  return (
    <section ref={card} className={`card chart${full ? " full" : ""}`} data-testid="chart" data-key={metric} aria-label={metric}>
      {inView || full ? <ChartBody {...props} full={full} setFull={setFull} /> : <><header><h3 className="ell">{title}</h3></header><div style={{ height }} /></>}
    </section>
  );
}

interface BodyProps extends ChartCardProps {
  full: boolean;
  setFull: (full: boolean) => void;
}

function ChartBody(props: BodyProps) {
  const { metric, drawn, context = NONE, settings, log, lead = null, beside = null, syncKey, onZoom, onLog, full, setFull } = props;
  const canvas = useRef<HTMLCanvasElement | null>(null);
  const [whole, setWhole] = useState(false);
  const [cursor, setCursor] = useState<CursorAt | null>(null);
  const hot = useStore(hotRun);
  const lower = props.lower ?? lowerIsBetter(metric);
  const { x, smooth, zoom } = settings;

  const ids = useMemo(() => drawn.map((r) => r.id), [drawn]);
  const grey = useMemo(() => context.map((r) => r.id), [context]);
  const margin = zoom ? (zoom[1] - zoom[0]) * 0.02 : 0;
  const range = { start: zoom ? Math.floor(zoom[0] - margin) : null, end: zoom ? Math.ceil(zoom[1] + margin) : null };
  const lines = useSeries(ids, metric, { x, ...range, buckets: full ? 1600 : props.height > 200 ? 600 : 240, smoothing: smooth });
  const shades = useSeries(grey, metric, { x, ...range, buckets: 120, smoothing: smooth }, grey.length > 0);
  const second = useSeries(ids, beside ?? "", { x, ...range, buckets: full ? 1600 : 600, smoothing: smooth }, beside !== null);
  const curves = useMemo(() => {
    const dense = smooth > 0 && isDense(lines.found.values());
    const own = toCurves(drawn, lines.found, dense).map((c) => (beside ? { ...c, name: metric } : c));
    const other = beside ? toCurves(drawn, second.found, smooth > 0 && isDense(second.found.values())).map((c) => ({ ...c, id: `${c.id}|${beside}`, name: beside, slot: BESIDE_SLOT })) : [];
    return [...toCurves(context, shades.found, dense), ...own, ...other];
  }, [context, drawn, shades.found, lines.found, second.found, beside, metric, smooth]);

  const smoothed = curves.some((c) => c.smooth);
  const span = useMemo<Span>(() => zoom ?? fromZero(xSpan(curves.filter((c) => c.slot !== null || !drawn.length).map((c) => c.series)), x) ?? [0, 1], [zoom, curves, x, drawn.length]);
  const y = useMemo(() => yRange(curves.filter((c) => c.slot !== null).map((c) => c.series), span, { log, full: whole || isScheduled(metric), smooth: (s) => curves.some((c) => c.smooth && c.series === s), lower }), [curves, span, log, whole, metric, lower]);
  const emphasis = useMemo(() => ({ hot: hot !== null && curves.some((c) => c.id === hot) ? hot : null, lead }), [hot, lead, curves]);
  const listed = useMemo(() => (cursor ? readings(curves, cursor.x, span, lower) : []), [cursor, curves, span, lower]);

  const tall = props.height > 200 || full;
  const nanLabel = useCallback((kind: string, at: number) => (tall ? (x === "step" ? t.nanAt(kind, formatCount(at, locale)) : kind) : ""), [tall, x]);
  const snap = useCallback((at: number) => snapTo(curves, lead, at, span), [curves, lead, span]);
  const moved = useCallback((at: CursorAt | null) => setCursor(at), []);
  const zoomed = useCallback((to: Span | null) => {
    setWhole(false);
    onZoom(to);
  }, [onZoom]);
  usePointerHot(cursor, listed, metric);
  useKeys(full ? { Escape: () => setFull(false) } : {});

  const outside = y.above + y.below;
  const words = y.single
    ? y.above && y.below ? t.pointsOutside : y.above ? t.pointsAbove : t.pointsBelow
    : y.above && y.below ? t.placesOutside : y.above ? t.placesAbove : t.placesBelow;
  const entries = (): MenuEntry[] => [
    ...(onLog ? [{ label: t.logY, checked: log, onSelect: () => onLog(!log) }] : []),
    { label: t.showAll, checked: whole, onSelect: () => setWhole(!whole) },
    ...(zoom ? [{ label: t.resetZoom, onSelect: () => onZoom(null) }] : []),
    "line",
    { label: t.savePng, icon: "download", onSelect: () => canvas.current && savePng(canvas.current, palette().get().surface, metric) },
    { label: t.saveCsv, icon: "download", onSelect: () => saveCsv(curves, metric) },
  ];
  const height = full ? Math.max(240, innerHeight - 90) : props.height;
  return (
    <>
      <header>
        <h3 className="ell" title={metric}>{props.title ?? metric}</h3>
        <span className="cap ell">
          {isLoss(metric) && props.height > 200 && <span className="muted">{lower ? t.lower : t.higher}</span>}
          {log && <span className="muted">log</span>}
          {smoothed && <span className="muted">{t.smoothed}</span>}
          {outside > 0 && <button type="button" className="caplink" title={t.showAll} onClick={() => setWhole(true)}>{words(outside)}</button>}
          {whole && <button type="button" className="caplink" onClick={() => setWhole(false)}>{t.robustRange}</button>}
        </span>
        <span className="right">
          {beside && <span className="legend"><Swatch slot={drawn[0]?.slot ?? 0} />{metric}<Swatch slot={BESIDE_SLOT} />{beside}</span>}
          <Button look="ghost" className="tiny" icon="full" aria-label={full ? t.leaveFullScreen : t.fullScreen} onClick={() => setFull(!full)} />
          <MenuButton look="ghost" className="tiny" icon="more" label={t.chartMenu(metric)} entries={entries} />
        </span>
      </header>
      <div className="plotbox" style={{ height }}>
        {!lines.error && (
          <Plot curves={curves} x={span} y={y.span} xAxis={x} log={log} percent={/percent(age)?$/i.test(metric)} height={height} emphasis={emphasis}
            nanLabel={nanLabel} syncKey={syncKey} label={summary(metric, curves, lower)} onCursor={moved} onZoom={zoomed} snap={snap} canvasRef={(c) => (canvas.current = c)} />
        )}
        {lines.error && <ErrorBox error={lines.error} title={t.seriesFailed} onRetry={lines.retry} />}
        {!lines.pending && !lines.error && lines.found.size === 0 && <div className="plotnote muted">{t.noPoints}</div>}
        {cursor && <Dots at={cursor} listed={listed} hot={hot ?? lead} />}
        {cursor?.own && listed.length > 0 && <Tooltip at={cursor} title={xTitle(x, cursor.x)} readings={listed} hot={hot ?? lead} grey={context.length} />}
      </div>
    </>
  );
}

/** The crosshair stands on a bucket of the leading curve where that has one near, else of any, so that steps are whole. */
function snapTo(curves: Curve[], lead: string | null, at: number, span: Span): number {
  const near = (curve: Curve) => nearestBucket(curve.series, at, (span[1] - span[0]) * 0.03);
  const one = curves.find((c) => c.id === lead && near(c) >= 0) ?? curves.find((c) => c.slot !== null && near(c) >= 0);
  return one ? one.series.cols.x[near(one)]! : at;
}

/** Emphasises the line nearest to the pointer while it is over this chart. */
function usePointerHot(cursor: CursorAt | null, listed: Reading[], metric: string): void {
  const own = cursor?.own ?? false;
  useEffect(() => {
    if (!cursor?.own) return;
    let near: { id: string; d: number } | null = null;
    for (const { curve, value } of listed) {
      const d = Number.isFinite(value) ? Math.abs(cursor.yToTop(value) - cursor.top) : Infinity;
      if (d < PICK_PX && (near === null || d < near.d)) near = { id: curve.id, d };
    }
    hotRun.set(near?.id ?? null);
  }, [cursor, listed, metric]);
  useEffect(() => {
    if (own) return () => hotRun.set(null);
  }, [own]);
}

const PLOT_LEFT = 44;
const PLOT_TOP = 10;

/** Dots where the crosshair meets the lines. */
function Dots({ at, listed, hot }: { at: CursorAt; listed: Reading[]; hot: string | null }) {
  return (
    <div className="dots" aria-hidden="true" style={{ left: PLOT_LEFT, top: PLOT_TOP }}>
      {listed.filter((r) => Number.isFinite(r.value)).map(({ curve, bucket, value }) => (
        <i key={curve.id} className={curve.id === hot ? "big" : ""}
          style={{ transform: `translate(${at.xToLeft(curve.series.cols.x[bucket]!)}px, ${at.yToTop(value)}px)`, background: `var(--c${curve.slot! % 10})` }} />
      ))}
    </div>
  );
}
