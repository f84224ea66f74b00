import type { Series } from "../api/buckets";
import { FEW, type Curve } from "./curve";
import { lineColour, type Palette } from "./theme";

/** What drawing needs of a canvas; `svg.ts` writes the same strokes as a vector picture. */
export type Pen = Pick<CanvasRenderingContext2D, "beginPath" | "moveTo" | "lineTo" | "closePath" | "arc" | "rect" | "clip" | "save" | "restore" | "stroke" | "fill" | "setLineDash" | "strokeText" | "fillText"
  | "globalAlpha" | "strokeStyle" | "fillStyle" | "lineWidth" | "lineJoin" | "lineCap" | "font" | "textAlign" | "textBaseline">;

/** The plot area of a canvas in device pixels, and how values become positions. */
export interface Frame {
  ctx: Pen;
  left: number;
  top: number;
  width: number;
  height: number;
  ratio: number;
  x: (value: number) => number;
  y: (value: number) => number;
}
export interface DrawOptions {
  log: boolean;
  /** The word beside a NaN mark, with its place; empty where room is short. */
  nanLabel: (kind: string, x: number) => string;
}

const LINE = 1.5;
const THICK = 2.25;
/** From so many lines on each is thin and lets the others shine through. */
const MANY = 100;
const MANY_ALPHA = 0.45;
/** Labels nearer than this would lie over one another; the mark alone stays. */
const LABEL_ROOM = 84;
const DASHES = [[], [6, 3], [1.5, 3], [8, 2, 1.5, 2]];

/** Runs beyond the tenth and further metrics take the next dash. */
export const dashOf = ({ slot, shade, dash }: Pick<Curve, "slot" | "shade" | "dash">): number[] => (slot === null ? [] : DASHES[((shade === undefined ? Math.floor(slot / 10) : 0) + dash) % DASHES.length]!);

const shown = (v: number, log: boolean) => Number.isFinite(v) && (!log || v > 0);

/** The path of the raw line: through first, lowest, highest and last of each bucket, broken where nothing is finite. */
function rawPath({ ctx, x, y }: Frame, { n, cols }: Series, log: boolean): void {
  ctx.beginPath();
  let pen = false;
  const to = (px: number, v: number) => {
    if (!shown(v, log)) return;
    if (pen) ctx.lineTo(px, y(v));
    else ctx.moveTo(px, y(v));
    pen = true;
  };
  for (let i = 0; i < n; i++) {
    if (!cols.count[i]) {
      pen = false;
      continue;
    }
    const px = x(cols.x[i]!);
    to(px, cols.first[i]!);
    if (cols.count[i]! > 1) {
      const end = x(cols.x_last[i]!);
      const mid = (px + end) / 2;
      const rising = cols.first[i]! <= cols.last[i]!;
      to(mid, rising ? cols.min[i]! : cols.max[i]!);
      to(mid, rising ? cols.max[i]! : cols.min[i]!);
      to(end, cols.last[i]!);
    }
  }
  ctx.stroke();
}

function smoothPath({ ctx, x, y }: Frame, { n, cols }: Series, log: boolean): void {
  ctx.beginPath();
  let pen = false;
  for (let i = 0; i < n; i++) {
    if (!cols.count[i] || !shown(cols.smooth[i]!, log)) {
      pen = false;
      continue;
    }
    if (pen) ctx.lineTo(x(cols.x_last[i]!), y(cols.smooth[i]!));
    else ctx.moveTo(x(cols.x_last[i]!), y(cols.smooth[i]!));
    pen = true;
  }
  ctx.stroke();
}

function envelope({ ctx, x, y }: Frame, { n, cols }: Series, log: boolean): void {
  ctx.beginPath();
  for (let i = 0; i < n; i++) {
    let end = i;
    while (end < n && cols.count[end]! > 0 && shown(cols.min[end]!, log)) end++;
    if (end - i < 2) {
      i = Math.max(i, end);
      continue;
    }
    const at = (k: number) => x((cols.x[k]! + cols.x_last[k]!) / 2);
    ctx.moveTo(at(i), y(cols.max[i]!));
    for (let k = i + 1; k < end; k++) ctx.lineTo(at(k), y(cols.max[k]!));
    for (let k = end - 1; k >= i; k--) ctx.lineTo(at(k), y(cols.min[k]!));
    ctx.closePath();
    i = end;
  }
  ctx.fill();
}

function points({ ctx, x, y, ratio }: Frame, { n, cols }: Series, log: boolean): void {
  for (let i = 0; i < n; i++) {
    if (!cols.count[i] || !shown(cols.last[i]!, log)) continue;
    ctx.beginPath();
    ctx.arc(x(cols.x[i]!), y(cols.last[i]!), 2 * ratio, 0, 2 * Math.PI);
    ctx.fill();
  }
}

const isBroken = (cols: Series["cols"], i: number) => cols.nan[i]! + cols.pos_inf[i]! + cols.neg_inf[i]! > 0;

/** Stems and triangles where values were NaN or infinite; a stretch of them is one mark with a line as long as it is. `labels` holds the places of the words so far. */
function brokenMarks(frame: Frame, { n, cols }: Series, colour: string, palette: Palette, options: DrawOptions, smooth: boolean, labels: number[]): void {
  const { ctx, ratio: r, top, height, left } = frame;
  for (let i = 0; i < n; i++) {
    const down = cols.neg_inf[i]! > 0;
    const kind = cols.nan[i]! > 0 ? "NaN" : cols.pos_inf[i]! > 0 ? "Inf" : down ? "−Inf" : "";
    if (!kind) continue;
    const px = frame.x(cols.count[i] ? cols.x_last[i]! : cols.x[i]!);
    const first = i;
    while (i + 1 < n && isBroken(cols, i + 1)) i++;
    const end = frame.x(cols.x_last[i]!);
    const edge = down && kind === "−Inf" ? top + height - 2 * r : top + 2 * r;
    const sign = edge > top + height / 2 ? -1 : 1;
    const before = first > 0 ? (smooth ? cols.smooth[first - 1]! : cols.last[first - 1]!) : NaN;
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = r;
    ctx.setLineDash([2 * r, 2 * r]);
    ctx.beginPath();
    ctx.moveTo(px, edge + sign * 8 * r);
    ctx.lineTo(px, Number.isFinite(before) ? Math.min(top + height, Math.max(top, frame.y(before))) : edge + sign * 22 * r);
    ctx.stroke();
    ctx.setLineDash([]);
    if (end > px) {
      ctx.beginPath();
      ctx.moveTo(px, edge);
      ctx.lineTo(end, edge);
      ctx.stroke();
    }
    ctx.beginPath();
    ctx.moveTo(px - 5 * r, edge + sign * 8.5 * r);
    ctx.lineTo(px + 5 * r, edge + sign * 8.5 * r);
    ctx.lineTo(px, edge);
    ctx.closePath();
    ctx.fill();
    const label = options.nanLabel(kind, cols.x[first]!);
    if (label && labels.every((taken) => Math.abs(taken - px) > LABEL_ROOM * r)) {
      labels.push(px);
      ctx.font = palette.font.replace(/^[\d.]+/, (px0) => String(Number(px0) * r));
      const right = px - left < 80 * r;
      ctx.textAlign = right ? "left" : "right";
      ctx.textBaseline = "middle";
      ctx.strokeStyle = palette.surface;
      ctx.lineWidth = 4 * r;
      ctx.fillStyle = palette.text2;
      ctx.strokeText(label, px + (right ? 9 : -9) * r, edge + sign * 5 * r);
      ctx.fillText(label, px + (right ? 9 : -9) * r, edge + sign * 5 * r);
    }
  }
}

function liveDot({ ctx, x, y, ratio: r }: Frame, { n, cols }: Series, smooth: boolean, log: boolean): void {
  let i = n - 1;
  while (i >= 0 && !cols.count[i]) i--;
  const v = i < 0 ? NaN : smooth ? cols.smooth[i]! : cols.last[i]!;
  if (!shown(v, log)) return;
  const alpha = ctx.globalAlpha;
  for (const [radius, a] of [[6, 0.2], [2.6, 1]] as const) {
    ctx.globalAlpha = alpha * a;
    ctx.beginPath();
    ctx.arc(x(cols.x_last[i]!), y(v), radius * r, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.globalAlpha = alpha;
}

interface Style {
  colour: string;
  faint: number;
  thick: boolean;
  /** With its envelope and, smoothed, its raw line behind. */
  rich: boolean;
}

function oneCurve(frame: Frame, curve: Curve, { colour, faint, thick, rich }: Style, palette: Palette, options: DrawOptions, labels: number[]): void {
  const { ctx, ratio: r } = frame;
  const { series, smooth } = curve;
  ctx.strokeStyle = ctx.fillStyle = colour;
  if (rich || curve.band) {
    ctx.globalAlpha = palette.band * faint;
    envelope(frame, series, options.log);
    if (smooth) {
      ctx.globalAlpha = palette.ghost * faint;
      ctx.lineWidth = r;
      rawPath(frame, series, options.log);
    }
  }
  ctx.globalAlpha = faint;
  ctx.lineWidth = (thick ? THICK : LINE) * r;
  ctx.setLineDash(dashOf(curve).map((d) => d * r));
  linePath(frame, curve, options.log);
  ctx.setLineDash([]);
  if (series.points < 40 && rich) points(frame, series, options.log);
  brokenMarks(frame, series, colour, palette, options, smooth, labels);
  ctx.fillStyle = colour;
  if (curve.live) liveDot(frame, series, smooth, options.log);
}

// The band of a group is its spread, not that of a line that goes up and down in it.
function linePath(frame: Frame, { series, smooth, band }: Curve, log: boolean): void {
  (smooth || band ? smoothPath : rawPath)(frame, series, log);
}

function within(frame: Frame, job: () => void): void {
  const { ctx, ratio: r } = frame;
  ctx.save();
  ctx.beginPath();
  ctx.rect(frame.left, frame.top - 2 * r, frame.width + 4 * r, frame.height + 4 * r);
  ctx.clip();
  ctx.lineJoin = ctx.lineCap = "round";
  job();
  ctx.restore();
}

/** All curves as they are when none is hot: grey context first, the leading one last and on top. */
export function drawCurves(frame: Frame, curves: Curve[], lead: string | null, palette: Palette, options: DrawOptions): void {
  const coloured = curves.filter((c) => c.slot !== null);
  const few = coloured.length <= FEW;
  const labels: number[] = [];
  within(frame, () => {
    for (const curve of curves) {
      if (curve.slot !== null) continue;
      frame.ctx.strokeStyle = palette.context;
      frame.ctx.globalAlpha = 0.55;
      frame.ctx.lineWidth = frame.ratio;
      linePath(frame, curve, options.log);
    }
    const ordered = [...coloured].sort((a, b) => Number(a.id === lead) - Number(b.id === lead) || b.slot! - a.slot!);
    for (const curve of ordered)
      oneCurve(frame, curve, { colour: lineColour(curve, palette), faint: coloured.length > MANY ? MANY_ALPHA : 1, thick: curve.id === lead && coloured.length > 1, rich: few || curve.id === lead }, palette, options, labels);
  });
}

/** The emphasised run alone, to lie over the dimmed picture of all. */
export function drawHot(frame: Frame, curves: Curve[], hot: string, palette: Palette, options: DrawOptions): void {
  within(frame, () => {
    for (const curve of curves)
      if (curve.id === hot) oneCurve(frame, curve, { colour: curve.slot === null ? palette.text3 : lineColour(curve, palette), faint: 1, thick: true, rich: true }, palette, options, []);
  });
}
