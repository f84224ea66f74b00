import { drawCurves, type DrawOptions, type Frame, type Pen } from "./draw";
import { xLabels, xTicks, yLabels, yTicks } from "./axes";
import type { Curve } from "./curve";
import { drawMarks, shownMarks, type Mark } from "./marks";
import type { Span } from "./scale";
import { lineColour, type Palette } from "./theme";
import type { XAxis } from "../url/board";

const text = (value: string) => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const at = (value: number) => String(Math.round(value * 100) / 100);

/** Strokes as SVG elements. It knows what `draw.ts` uses of a canvas, no more. */
export class SvgPen implements Pen {
  globalAlpha = 1;
  strokeStyle: string | CanvasGradient | CanvasPattern = "#000";
  fillStyle: string | CanvasGradient | CanvasPattern = "#000";
  lineWidth = 1;
  lineJoin: CanvasLineJoin = "round";
  lineCap: CanvasLineCap = "round";
  font = "";
  textAlign: CanvasTextAlign = "left";
  textBaseline: CanvasTextBaseline = "alphabetic";
  readonly parts: string[] = [];
  private path: string[] = [];
  private dash: number[] = [];

  beginPath(): void {
    this.path = [];
  }
  moveTo(x: number, y: number): void {
    this.path.push(`M${at(x)} ${at(y)}`);
  }
  lineTo(x: number, y: number): void {
    this.path.push(`L${at(x)} ${at(y)}`);
  }
  closePath(): void {
    this.path.push("Z");
  }
  /** Whole circles alone are drawn. */
  arc(x: number, y: number, r: number): void {
    this.path.push(`M${at(x - r)} ${at(y)}a${at(r)} ${at(r)} 0 1 0 ${at(2 * r)} 0a${at(r)} ${at(r)} 0 1 0 ${at(-2 * r)} 0`);
  }
  rect(x: number, y: number, width: number, height: number): void {
    this.path.push(`M${at(x)} ${at(y)}h${at(width)}v${at(height)}h${at(-width)}Z`);
  }
  /** The picture clips its plot as a whole. */
  clip(): void {}
  save(): void {}
  restore(): void {}
  setLineDash(dash: Iterable<number>): void {
    this.dash = [...dash];
  }
  stroke(): void {
    if (!this.path.length) return;
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.join(" ")}"` : "";
    this.parts.push(`<path d="${this.path.join("")}" fill="none" stroke="${String(this.strokeStyle)}" stroke-width="${this.lineWidth}" stroke-linejoin="round" stroke-linecap="round"${this.alpha("stroke")}${dash}/>`);
  }
  fillRect(x: number, y: number, width: number, height: number): void {
    this.beginPath();
    this.rect(x, y, width, height);
    this.fill();
  }
  fill(): void {
    if (this.path.length) this.parts.push(`<path d="${this.path.join("")}" fill="${String(this.fillStyle)}"${this.alpha("fill")}/>`);
  }
  strokeText(): void {
    // The halo comes with the letters.
  }
  fillText(words: string, x: number, y: number): void {
    const anchor = this.textAlign === "right" ? "end" : this.textAlign === "center" ? "middle" : "start";
    this.parts.push(`<text x="${at(x)}" y="${at(y)}" dy="${this.textBaseline === "middle" ? ".35em" : "0"}" text-anchor="${anchor}" fill="${String(this.fillStyle)}">${text(words)}</text>`);
  }
  private alpha(kind: "stroke" | "fill"): string {
    return this.globalAlpha === 1 ? "" : ` ${kind}-opacity="${this.globalAlpha}"`;
  }
}

export interface Picture {
  title: string;
  curves: Curve[];
  marks: readonly Mark[];
  lead: string | null;
  x: Span;
  y: Span;
  xAxis: XAxis;
  logX: boolean;
  logY: boolean;
  percent: boolean;
  width: number;
  height: number;
  palette: Palette;
  locale: string;
  nanLabel: DrawOptions["nanLabel"];
}

const [LEFT, RIGHT, TOP, BOTTOM] = [48, 18, 34, 26];
const LEGEND_LINE = 16;
/** A legend of more lines would be larger than the picture. */
const MOST_NAMED = 60;

function scale([low, high]: Span, log: boolean, from: number, to: number): (v: number) => number {
  const turn = (v: number) => (log ? Math.log(Math.max(v, Number.MIN_VALUE)) : v);
  const [a, b] = [turn(low), turn(high)];
  return (v) => from + ((turn(v) - a) / (b - a || 1)) * (to - from);
}

function axesOf(p: Picture, x: (v: number) => number, y: (v: number) => number, foot: number): string[] {
  const [xs, ys] = [xTicks(p.xAxis, p.x[0], p.x[1], p.width > 420 ? 6 : 3, p.logX), yTicks(p.y, p.logY, p.height)];
  const [xl, yl] = [xLabels(p.xAxis, xs, p.locale, p.logX), yLabels(ys, p.logY, p.locale, p.percent)];
  const label = (words: string, left: number, top: number, anchor: string) => `<text x="${at(left)}" y="${at(top)}" text-anchor="${anchor}" fill="${p.palette.text3}">${text(words)}</text>`;
  return [
    ...ys.map((v) => `<path d="M${LEFT} ${at(y(v))}H${p.width - RIGHT}" stroke="${p.palette.grid}"/>`),
    `<path d="M${LEFT} ${foot}H${p.width - RIGHT}" stroke="${p.palette.axis}"/>`,
    ...ys.map((v, i) => label(yl[i]!, LEFT - 6, y(v) + 4, "end")),
    ...xs.map((v, i) => label(xl[i]!, x(v), foot + 16, "middle")),
  ];
}

function legendOf({ curves, palette, height }: Picture): string[] {
  const named = curves.filter((c) => c.slot !== null);
  if (named.length > MOST_NAMED) return [];
  return named.map((c, i) => {
    const top = height + 10 + i * LEGEND_LINE;
    return `<path d="M${LEFT} ${top}h16" stroke="${lineColour(c, palette)}" stroke-width="2.5"/><text x="${LEFT + 24}" y="${top + 4}" fill="${palette.text2}">${text(c.name)}</text>`;
  });
}

/** A chart as an SVG document with its title, axes and a legend of the coloured curves. */
export function chartSvg(p: Picture): string {
  const foot = p.height - BOTTOM;
  const [x, y] = [scale(p.x, p.logX, LEFT, p.width - RIGHT), scale(p.y, p.logY, foot, TOP)];
  const pen = new SvgPen();
  const frame: Frame = { ctx: pen, left: LEFT, top: TOP, width: p.width - LEFT - RIGHT, height: foot - TOP, ratio: 1, x, y };
  drawMarks(pen, frame, shownMarks(p.marks, p.curves, { hot: null, lead: p.lead }, p.palette));
  drawCurves(frame, p.curves, p.lead, p.palette, { log: p.logY, nanLabel: p.nanLabel });
  const legend = legendOf(p);
  const total = p.height + (legend.length ? legend.length * LEGEND_LINE + 8 : 0);
  const family = p.palette.font.replace(/^[\d.]+px /, "").replaceAll('"', "'");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${p.width}" height="${total}" viewBox="0 0 ${p.width} ${total}" font-family="${family}" font-size="11">`,
    `<title>${text(p.title)}</title>`,
    `<defs><clipPath id="plot"><path d="M${LEFT} ${TOP - 2}H${p.width - RIGHT + 4}V${foot + 2}H${LEFT}Z"/></clipPath></defs>`,
    `<rect width="${p.width}" height="${total}" fill="${p.palette.surface}"/>`,
    `<text x="12" y="20" font-size="13" font-weight="600" fill="${p.palette.text2}">${text(p.title)}</text>`,
    ...axesOf(p, x, y, foot),
    `<g clip-path="url(#plot)">`, ...pen.parts, "</g>", ...legend, "</svg>",
  ].join("\n");
}
