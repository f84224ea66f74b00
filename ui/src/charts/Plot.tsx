import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { locale } from "../i18n";
import { useLatest, useSize, useStore } from "../ui/hooks";
import type { XAxis } from "../url/experiment";
import type { Curve, Emphasis } from "./curve";
import { drawCurves } from "./draw";
import { axes } from "./axes";
import type { Span } from "./scale";
import { palette } from "./theme";

export interface PlotProps {
  curves: Curve[];
  x: Span;
  y: Span;
  xAxis: XAxis;
  log: boolean;
  percent: boolean;
  height: number;
  emphasis: Emphasis;
  nanLabel: (kind: string, x: number) => string;
  /** Charts with the same key share their crosshair. */
  syncKey: string;
  label: string;
  onCursor: (at: CursorAt | null) => void;
  onZoom: (span: Span | null) => void;
  /** The x that the crosshair stands on for a pointer at `x`. */
  snap: (x: number) => number;
  canvasRef?: (canvas: HTMLCanvasElement | null) => void;
}
export interface CursorAt {
  x: number;
  y: number;
  left: number;
  top: number;
  width: number;
  /** True when the pointer is over this very chart, not over one in sync. */
  own: boolean;
  xToLeft: (x: number) => number;
  yToTop: (y: number) => number;
}

const DRAG_LEAST = 6;

function cursorAt(u: uPlot): CursorAt | null {
  const { left = -1, top = -1, event } = u.cursor;
  if (left < 0) return null;
  return { x: u.posToVal(left, "x"), y: u.posToVal(top, "y"), left, top, width: u.over.clientWidth, own: Boolean(event),
    xToLeft: (v) => u.valToPos(v, "x"), yToTop: (v) => u.valToPos(v, "y") };
}

/** A canvas chart: uPlot keeps scales, axes, cursor and selection; the curves are drawn by us from buckets. */
export function Plot(props: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { width } = useSize(box);
  const colours = useStore(palette());
  const latest = useLatest({ ...props, colours });
  const ready = width > 0;
  const { log, syncKey } = props;

  useEffect(() => {
    if (!ready || !box.current) return;
    const now = () => latest.current;
    const draw = (u: uPlot) => {
      const { curves, emphasis, colours: c, nanLabel } = now();
      const frame = { ctx: u.ctx, left: u.bbox.left, top: u.bbox.top, width: u.bbox.width, height: u.bbox.height, ratio: devicePixelRatio,
        x: (v: number) => u.valToPos(v, "x", true), y: (v: number) => u.valToPos(v, "y", true) };
      drawCurves(frame, curves, emphasis, c, { log, nanLabel });
    };
    const select = (u: uPlot) => {
      const { left, width: w } = u.select;
      if (w < DRAG_LEAST) return;
      now().onZoom([u.posToVal(left, "x"), u.posToVal(left + w, "x")]);
      u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    };
    const u = new uPlot({
      width: box.current.clientWidth, height: now().height, padding: [10, 18, 0, 0], legend: { show: false },
      scales: { x: { time: false, range: () => now().x }, y: { distr: log ? 3 : 1, range: () => now().y } },
      axes: axes(() => ({ ...now(), locale })),
      series: [{}, { show: true, paths: () => null, points: { show: false } }],
      cursor: { y: false, move: (u, left, top) => [left < 0 ? left : u.valToPos(now().snap(u.posToVal(left, "x")), "x"), top], points: { show: false }, drag: { x: true, y: false, setScale: false, dist: DRAG_LEAST },
        sync: { key: syncKey, scales: ["x", null], setSeries: false, filters: { pub: (type) => type === "mousemove" || type === "mouseleave", sub: () => true } },
        bind: { dblclick: () => () => { now().onZoom(null); return null; } } },
      hooks: { draw: [draw], setCursor: [(c) => now().onCursor(cursorAt(c))], setSelect: [select] },
    }, [[0, 1], [null, null]] as uPlot.AlignedData, box.current);
    plot.current = u;
    now().canvasRef?.(u.ctx.canvas);
    return () => {
      now().canvasRef?.(null);
      u.destroy();
      plot.current = null;
    };
  }, [ready, log, syncKey, latest]);

  useEffect(() => {
    if (width) plot.current?.setSize({ width, height: props.height });
  }, [width, props.height]);

  const { curves, x, y, xAxis, emphasis, percent } = props;
  useEffect(() => {
    plot.current?.setData([[x[0], x[1]], [null, null]] as uPlot.AlignedData, true);
  }, [x, y, xAxis, percent, colours, ready, log]);
  useEffect(() => {
    plot.current?.redraw(false);
  }, [curves, emphasis]);

  return <div ref={box} className="plot" style={{ height: props.height }} role="img" aria-label={props.label} />;
}
