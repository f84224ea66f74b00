import type { XAxis } from "../url/board";
import type { Curve, Emphasis } from "./curve";
import type { Pen } from "./draw";
import { lineColour, type Palette } from "./theme";

/** A place of a curve that is worth a look: from a step to another, or to the end of the run. */
export interface Mark {
  runId: string;
  /** The metric in whose chart it stands. */
  key: string;
  start: number;
  end: number | null;
  text: string;
}

/** The marks of a chart of these metrics over steps, to which they belong. */
export function marksOf(all: readonly Mark[], keys: readonly string[], x: XAxis): readonly Mark[] {
  return x === "step" ? all.filter((mark) => keys.includes(mark.key)) : [];
}

/** A mark as it is drawn: with its stretch shaded, or as a flag alone. */
export interface ShownMark extends Mark {
  colour: string;
  shaded: boolean;
  faint: number;
}

/** How marks are drawn among several runs: those of the emphasised one in full, of the others a flag in the run's colour; of runs without a colour none. */
export function shownMarks(marks: readonly Mark[], curves: readonly Curve[], { hot, lead }: Emphasis, palette: Palette): ShownMark[] {
  const drawn = new Map(curves.filter(({ slot }) => slot !== null).map((curve) => [curve.id, curve]));
  const only = drawn.size === 1;
  const first = hot ?? lead;
  return marks.flatMap((mark) => {
    const curve = drawn.get(mark.runId);
    if (!curve) return [];
    const shaded = only || mark.runId === first;
    return [{ ...mark, shaded, colour: only ? palette.bad : lineColour(curve, palette), faint: shaded || hot === null ? 1 : palette.dim }];
  });
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

/** A flag above where a mark begins, below it a dashed edge and, where it is shaded, its stretch; what is out of view is left out. */
export function drawMarks(ctx: Pen & Pick<CanvasRenderingContext2D, "fillRect">, { left, top, width, height, ratio: r, x }: Area, marks: readonly ShownMark[]): void {
  ctx.save();
  ctx.lineWidth = r;
  for (const { start, end, colour, shaded, faint } of marks) {
    const [from, to] = [x(start), end === null ? left + width : x(end)];
    if (to < left || from > left + width) continue;
    ctx.strokeStyle = ctx.fillStyle = colour;
    const first = Math.max(left, from);
    ctx.globalAlpha = SHADE;
    if (shaded) ctx.fillRect(first, top, Math.max(2 * r, Math.min(left + width, to) - first), height);
    if (from < left) continue;
    ctx.globalAlpha = faint;
    if (shaded) {
      ctx.setLineDash([3 * r, 3 * r]);
      ctx.beginPath();
      ctx.moveTo(from, top);
      ctx.lineTo(from, top + height);
      ctx.stroke();
      ctx.setLineDash([]);
    }
    ctx.beginPath();
    ctx.moveTo(from, top - 2 * r);
    ctx.lineTo(from + FLAG * r, top + (FLAG / 2 - 2) * r);
    ctx.lineTo(from, top + (FLAG - 2) * r);
    ctx.closePath();
    ctx.fill();
  }
  ctx.globalAlpha = 1;
  ctx.restore();
}
