import type { Pen } from "./draw";
import type { Palette } from "./theme";

/** A place of a curve that is worth a look: from a step to another, or to the end of the run. */
export interface Mark {
  /** The metric in whose chart it stands. */
  key: string;
  start: number;
  end: number | null;
  text: string;
}

interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
  ratio: number;
  x: (value: number) => number;
}

const FLAG = 5;
const SHADE = 0.1;

/** A shaded stretch with a dashed edge where it begins and a flag above; what is out of view is left out. */
export function drawMarks(ctx: Pen & Pick<CanvasRenderingContext2D, "fillRect">, { left, top, width, height, ratio: r, x }: Area, marks: readonly Mark[], palette: Palette): void {
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = palette.bad;
  ctx.lineWidth = r;
  for (const { start, end } of marks) {
    const [from, to] = [x(start), end === null ? left + width : x(end)];
    if (to < left || from > left + width) continue;
    const first = Math.max(left, from);
    ctx.globalAlpha = SHADE;
    ctx.fillRect(first, top, Math.max(2 * r, Math.min(left + width, to) - first), height);
    if (from < left) continue;
    ctx.globalAlpha = 1;
    ctx.setLineDash([3 * r, 3 * r]);
    ctx.beginPath();
    ctx.moveTo(from, top);
    ctx.lineTo(from, top + height);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.moveTo(from, top - 2 * r);
    ctx.lineTo(from + FLAG * r, top + (FLAG / 2 - 2) * r);
    ctx.lineTo(from, top + (FLAG - 2) * r);
    ctx.closePath();
    ctx.fill();
  }
  ctx.restore();
}
