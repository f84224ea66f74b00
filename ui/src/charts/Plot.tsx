import { useEffect, useRef, type KeyboardEvent } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { locale } from "../i18n";
import { useLatest, useSize, useStore } from "../ui/hooks";
import type { XAxis } from "../url/board";
import type { Curve, Emphasis } from "./curve";
import { axes } from "./axes";
import { Layer } from "./layer";
import { drawMarks, shownMarks, type Mark } from "./marks";
import type { Span } from "./scale";
import { palette } from "./theme";
import { wheelZoom } from "./wheel";

export interface PlotProps {
  curves: Curve[];
  x: Span;
  y: Span;
  xAxis: XAxis;
  logX: boolean;
  log: boolean;
  percent: boolean;
  height: number;
  emphasis: Emphasis;
  nanLabel: (kind: string, x: number) => string;
  marks: readonly Mark[];
  /** Charts with the same key share their crosshair. */
  syncKey: string;
  label: string;
  onCursor: (at: CursorAt | null) => void;
  /** `y` is set when a box was drawn with Shift. */
  onZoom: (span: Span | null, y?: Span) => void;
  /** The x that the crosshair stands on for a pointer at `x`. */
  snap: (x: number) => number;
  /** The x of the bucket before (-1) or after (1) another. */
  neighbour: (x: number, by: -1 | 1) => number;
  /** Called when the crosshair was moved by a key. */
  onKeyMove: () => void;
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

function cursorAt(u: uPlot, keyed: boolean): CursorAt | null {
  const { left = -1, top = -1, event } = u.cursor;
  if (left < 0) return null;
  return { x: u.posToVal(left, "x"), y: u.posToVal(top, "y"), left, top, width: u.over.clientWidth, own: keyed || Boolean(event),
    xToLeft: (v) => u.valToPos(v, "x"), yToTop: (v) => u.valToPos(v, "y") };
}

/** What the pointer has drawn a frame around: a span of x, with Shift a box. */
function selected(u: uPlot): { x: Span; y?: Span } | null {
  const { left, top, width, height } = u.select;
  if (width < DRAG_LEAST) return null;
  const x: Span = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
  const boxed = u.cursor.drag?.y && height >= DRAG_LEAST && height < u.over.clientHeight;
  return boxed ? { x, y: [u.posToVal(top + height, "y"), u.posToVal(top, "y")] } : { x };
}

/** A canvas chart: uPlot keeps scales, axes, cursor and selection; the curves are drawn by us from buckets. */
export function Plot(props: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const keyed = useRef(false);
  const { width } = useSize(box);
  const colours = useStore(palette());
  const latest = useLatest({ ...props, colours });
  const ready = width > 0;
  const { log, logX, syncKey } = props;

  useEffect(() => {
    if (!ready || !box.current) return;
    const now = () => latest.current;
    const layer = new Layer();
    let held: Span | null = null;
    const draw = (u: uPlot) => {
      const { curves, emphasis, colours: c, nanLabel, marks } = now();
      const frame = { left: u.bbox.left, top: u.bbox.top, width: u.bbox.width, height: u.bbox.height, ratio: devicePixelRatio,
        x: (v: number) => u.valToPos(v, "x", true), y: (v: number) => u.valToPos(v, "y", true) };
      const { x, y } = u.scales;
      if (marks.length) drawMarks(u.ctx, frame, shownMarks(marks, curves, emphasis, c));
      layer.draw(u.ctx, frame, `${x!.min}|${x!.max}|${y!.min}|${y!.max}`, curves, emphasis, c, { log, nanLabel });
    };
    const select = (u: uPlot) => {
      const found = selected(u);
      if (!found) return;
      now().onZoom(found.x, found.y);
      u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    };
    const u = new uPlot({
      width: box.current.clientWidth, height: now().height, padding: [10, 18, 0, 0], legend: { show: false },
      scales: { x: { time: false, distr: logX ? 3 : 1, range: () => held ?? now().x }, y: { distr: log ? 3 : 1, range: () => now().y } },
      axes: axes(() => ({ ...now(), locale })),
      series: [{}, { show: true, paths: () => null, points: { show: false } }],
      cursor: { y: false, move: (u, left, top) => [left < 0 ? left : u.valToPos(now().snap(u.posToVal(left, "x")), "x"), top], points: { show: false }, drag: { x: true, y: false, setScale: false, dist: DRAG_LEAST },
        sync: { key: syncKey, scales: ["x", null], setSeries: false, filters: { pub: (type) => type === "mousemove" || type === "mouseleave", sub: () => true } },
        bind: {
          dblclick: () => () => { now().onZoom(null); return null; },
          mousedown: (u, _target, handle) => (event) => {
            u.cursor.drag!.y = event.shiftKey;
            handle(event);
            return null;
          },
        } },
      hooks: { draw: [draw], setCursor: [(c) => now().onCursor(cursorAt(c, keyed.current))], setSelect: [select] },
    }, [[now().x[0], now().x[1]], [null, null]] as uPlot.AlignedData, box.current);
    const stopWheel = wheelZoom(u.over, {
      log: logX,
      span: () => held ?? now().x,
      share: (clientX) => (clientX - u.over.getBoundingClientRect().left) / u.over.clientWidth,
      show: (span) => {
        held = span;
        u.setData(u.data, true);
      },
      settle: (span) => {
        held = null;
        now().onZoom(span);
      },
    });
    plot.current = u;
    now().canvasRef?.(u.ctx.canvas);
    return () => {
      stopWheel();
      now().canvasRef?.(null);
      u.destroy();
      plot.current = null;
    };
  }, [ready, log, logX, syncKey, latest]);

  useEffect(() => {
    if (width) plot.current?.setSize({ width, height: props.height });
  }, [width, props.height]);

  const { curves, x, y, xAxis, emphasis, percent, marks } = props;
  useEffect(() => {
    plot.current?.setData([[x[0], x[1]], [null, null]] as uPlot.AlignedData, true);
  }, [x, y, xAxis, percent, colours, ready, log, logX]);
  useEffect(() => {
    plot.current?.redraw(false);
  }, [curves, emphasis, marks]);

  const key = (event: KeyboardEvent) => {
    const u = plot.current;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key] as -1 | 1 | undefined;
    if (!u || by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const { left = -1 } = u.cursor;
    const from = left < 0 ? -by * Infinity : u.posToVal(left, "x");
    keyed.current = true;
    // The third argument, which its types leave out, tells the charts in sync.
    (u.setCursor as (at: { left: number; top: number }, fire: boolean, tell: boolean) => void)({ left: u.valToPos(props.neighbour(from, by), "x"), top: u.over.clientHeight / 2 }, true, true);
    props.onKeyMove();
  };
  const leave = () => {
    keyed.current = false;
    plot.current?.setCursor({ left: -10, top: -10 });
  };
  return <div ref={box} className="plot" style={{ height: props.height }} role="group" aria-roledescription="chart" aria-label={props.label} tabIndex={0} onKeyDown={key} onBlur={leave} onPointerEnter={() => (keyed.current = false)} />;
}
