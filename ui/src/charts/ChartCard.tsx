import "../styles/charts.css";
import { useCallback, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { formatCount, formatNumber } from "../model/format";
import { hasDirection, isLoss, lowerIsBetter } from "../model/metrics";
import { locale, t } from "../i18n";
import { Button } from "../ui/Button";
import { useInView, useStore } from "../ui/hooks";
import { useKeys } from "../ui/keys";
import { printing } from "../ui/printing";
import { ErrorBox } from "../ui/States";
import { rampColour, slotColour, Swatch } from "../ui/Swatch";
import { withOption, type BoardView, type ChartOptions } from "../url/board";
import { ChartMenu } from "./ChartMenu";
import { marksOf, type Mark } from "./marks";
import { picture } from "./picture";
import { mostOf } from "./readings";
import { Plot } from "./Plot";
import type { Span } from "./scale";
import { Tooltip } from "./Tooltip";
import type { GroupSource } from "../api/groupBuckets";
import type { ChartSpec, DrawnRun } from "./types";
import { summary, useChart, xTitle, type Chart } from "./useChart";

export interface ChartCardProps {
  spec: ChartSpec;
  drawn: DrawnRun[];
  context?: DrawnRun[];
  groups?: GroupSource | null;
  view: BoardView;
  change: (part: Partial<BoardView>) => void;
  lower?: boolean;
  lead?: string | null;
  height: number;
  syncKey: string;
  marks?: readonly Mark[];
  /** Further entries for a chart that the user made. */
  onEdit?: () => void;
}

const NO_RUNS: DrawnRun[] = [];
const NO_OPTIONS: ChartOptions = {};
const TALL = 200;
const PAPER = { tall: { width: 800, height: 300 }, small: { width: 420, height: 190 } };

/** One chart as a card. Its data is asked for and its canvas mounted only near the view; its height never changes. */
export function ChartCard(props: ChartCardProps) {
  const card = useRef<HTMLElement>(null);
  const inView = useInView(card);
  const paper = useStore(printing);
  const [full, setFull] = useState(false);
  const { spec, height } = props;
  return (
    <section ref={card} className={`card chart${full ? " full" : ""}`} data-testid="chart" data-key={spec.id} aria-label={spec.title}>
      {inView || full || paper ? <ChartBody {...props} full={full} setFull={setFull} /> : <><header><h3 className="ell">{spec.title}</h3></header><div style={{ height }} /></>}
    </section>
  );
}

export interface BodyProps extends ChartCardProps {
  full: boolean;
  setFull: (full: boolean) => void;
}

function ChartBody(props: BodyProps) {
  const { spec, drawn, context = NO_RUNS, groups = null, view, change, lead = null, syncKey, full, setFull } = props;
  const canvas = useRef<HTMLCanvasElement | null>(null);
  const paper = useStore(printing);
  const [spoken, setSpoken] = useState("");
  const lower = props.lower ?? lowerIsBetter(spec.keys[0]!);
  const options = view.options[spec.id] ?? NO_OPTIONS;
  const tall = props.height > TALL || full;
  const chart = useChart({ spec, drawn, context, groups, view, options, lower, lead, buckets: full ? 1600 : props.height > TALL ? 600 : 240 });
  const { x } = view;
  const marks = useMarks(props.marks, spec, x);

  const nanLabel = useCallback((kind: string, at: number) => (tall ? (x === "step" ? t.nanAt(kind, formatCount(at, locale)) : kind) : ""), [tall, x]);
  const option = (part: ChartOptions) => change(withOption(view, spec.id, part));
  const zoomed = (to: Span | null, y?: Span) => {
    // A zoom that holds everything is none; a double click also gives back the range of its own.
    const whole = to === null || (chart.extent !== null && to[0] <= chart.extent[0] && to[1] >= chart.extent[1]);
    const zoom = whole ? null : x === "step" ? ([Math.floor(to[0]), Math.ceil(to[1])] as Span) : to;
    const reset = to === null && options.range !== undefined;
    change({ zoom, ...(y ? withOption(view, spec.id, { range: y }) : reset ? withOption(view, spec.id, { range: undefined }) : {}) });
  };
  useKeys(full ? { Escape: () => setFull(false) } : {});
  const keys = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || (event.target as HTMLElement).closest("input, dialog")) return;
    const action = { l: () => option({ logY: !chart.logY }), t: chart.pin }[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  const say = () => setSpoken(chart.cursor ? `${xTitle(x, chart.cursor.x)}: ${chart.listed.slice(0, 3).map((r) => `${r.curve.name} ${formatNumber(r.value, locale)}`).join(", ")}` : "");
  const height = full ? Math.max(240, innerHeight - 90) : props.height;
  return (
    <>
      <header onKeyDown={keys}>
        <h3 className="ell" title={spec.keys.join(", ")}>{spec.title}</h3>
        <Caption chart={chart} spec={spec} view={view} options={options} lower={lower} tall={tall} groups={groups} marks={marks} onOption={option} />
        <span className="right">
          {spec.keys.length > 1 && <Legend chart={chart} drawn={drawn} keys={spec.keys} />}
          <Button look="ghost" className="tiny" icon="full" aria-label={full ? t.leaveFullScreen : t.fullScreen} onClick={() => setFull(!full)} />
          <ChartMenu chart={chart} props={props} options={options} canvas={canvas} lower={lower} onOption={option} />
        </span>
      </header>
      <div className="plotbox" style={{ height }} onKeyDown={keys} aria-busy={chart.pending}>
        {paper && !chart.error && <img className="printed" alt={summary(spec.title, chart.curves, lower)} src={`data:image/svg+xml,${encodeURIComponent(picture(chart, props, PAPER[tall ? "tall" : "small"]))}`} />}
        {!paper && !chart.error && (
          <Plot curves={chart.curves} x={chart.span} y={chart.y.span} xAxis={x} logX={chart.logX} log={chart.logY} percent={/percent(age)?$/i.test(spec.keys[0]!)} height={height} emphasis={chart.emphasis}
            nanLabel={nanLabel} marks={marks} syncKey={`${syncKey}|${x}`} label={summary(spec.title, chart.curves, lower)} onCursor={chart.onCursor} onZoom={zoomed} snap={chart.snap} neighbour={chart.neighbour} onKeyMove={say} canvasRef={(c) => (canvas.current = c)} />
        )}
        {chart.error && <ErrorBox error={chart.error} title={t.seriesFailed} onRetry={chart.retry} />}
        {!chart.pending && !chart.error && chart.curves.length === 0 && <div className="plotnote muted">{x.startsWith("metrics.") ? t.noPointsAgainst(x.slice(8)) : t.noPoints}</div>}
        {chart.cursor && <Dots chart={chart} />}
        {chart.cursor && chart.listed.length > 0 && (chart.cursor.own || tall || chart.pinned) && (
          <Tooltip at={chart.cursor} title={xTitle(x, chart.cursor.x)} readings={chart.listed} hot={chart.hot} grey={context.length} small={!chart.cursor.own && !chart.pinned} pinned={chart.pinned} />
        )}
        <span className="vh" aria-live="polite">{spoken}</span>
      </div>
    </>
  );
}

interface CaptionProps {
  chart: Chart;
  spec: ChartSpec;
  view: BoardView;
  options: ChartOptions;
  lower: boolean;
  tall: boolean;
  groups: GroupSource | null;
  marks: readonly Mark[];
  onOption: (part: ChartOptions) => void;
}

const NO_MARKS: readonly Mark[] = [];

/** The marks of a chart of one metric over steps, to which they belong. */
function useMarks(all: readonly Mark[] | undefined, { keys }: ChartSpec, x: BoardView["x"]): readonly Mark[] {
  return useMemo(() => {
    const own = marksOf(all ?? NO_MARKS, keys, x);
    return own.length ? own : NO_MARKS;
  }, [all, keys, x]);
}

const outsideWords = ({ above, below, single }: Chart["y"]) =>
  single ? (above && below ? t.pointsOutside : above ? t.pointsAbove : t.pointsBelow) : above && below ? t.placesOutside : above ? t.placesAbove : t.placesBelow;

/** What has to be known of a chart to read it: scale, smoothing, band, and what lies outside. */
function Caption({ chart, spec, view, options, lower, tall, groups, marks, onOption }: CaptionProps) {
  const outside = chart.y.above + chart.y.below;
  const key = spec.keys[0]!;
  const parts: ReactNode[] = [];
  const names = new Map(chart.curves.flatMap(({ id, slot, name }): [string, string][] => (slot === null ? [] : [[id, name]])));
  const found = marks.filter((mark) => names.has(mark.runId));
  const told = (mark: Mark) => (names.size > 1 ? `${names.get(mark.runId)}: ${mark.text}` : mark.text);
  if (found.length) parts.push(<span key="marks" className="warn" title={found.map(told).join("\n")} data-testid="marks">⚑ {t.findings(found.length)}</span>);
  const word = (text: string) => parts.push(<span key={parts.length} className="muted">{text}</span>);
  const link = (text: string, title: string, change: ChartOptions) => parts.push(<button key={parts.length} type="button" className="caplink" title={title} onClick={() => onOption(change)}>{text}</button>);
  if (tall && spec.keys.length === 1 && (isLoss(key) || hasDirection(key))) word(lower ? t.lower : t.higher);
  if (groups) word(t.bandOf[view.band]);
  if (chart.logY || chart.logX) word(chart.logY && chart.logX ? "log x, y" : chart.logX ? "log x" : "log");
  if (chart.smoothed) word(options.smooth === undefined ? t.smoothed : t.smoothedBy(formatNumber(options.smooth, locale)));
  if (chart.dropped) word(t.notOnLog(chart.dropped));
  if (chart.withoutAxis) word(t.withoutAxis(chart.withoutAxis, view.x.slice(8)));
  if (outside > 0) link(outsideWords(chart.y)(outside), t.showAll, { full: true, range: undefined });
  if (options.full) link(t.robustRange, t.robustRange, { full: undefined });
  else if (options.range && !outside) link(t.ownRange, t.robustRange, { range: undefined });
  return <span className="cap ell">{parts}</span>;
}

/** Which line is which metric: by colour for one run, by dash for several. */
function Legend({ chart, drawn, keys }: { chart: Chart; drawn: DrawnRun[]; keys: string[] }) {
  const one = drawn.length === 1 && !chart.grouped;
  return (
    <span className="legend">
      {keys.map((key, i) => <span key={key} title={key}><Swatch slot={one ? (chart.curves.find((c) => c.key === key)?.slot ?? null) : null} dash={one ? 0 : i} /><span className="ell">{key}</span></span>)}
    </span>
  );
}

const PLOT_LEFT = 44;
const PLOT_TOP = 10;
const MOST_DOTS = 30;

/** Dots where the crosshair meets the lines. */
function Dots({ chart: { cursor: at, listed, hot } }: { chart: Chart }) {
  return (
    <div className="dots" aria-hidden="true" style={{ left: PLOT_LEFT, top: PLOT_TOP }}>
      {mostOf(listed, hot, MOST_DOTS).filter((r) => Number.isFinite(r.value)).map(({ curve, bucket, value }) => (
        <i key={`${curve.id}|${curve.key}`} className={curve.id === hot ? "big" : ""}
          style={{ transform: `translate(${at!.xToLeft(curve.series.cols.x[bucket]!)}px, ${at!.yToTop(value)}px)`, background: curve.shade === undefined ? slotColour(curve.slot!) : rampColour(curve.shade) }} />
      ))}
    </div>
  );
}
