import type { Curve, Emphasis } from "./curve";
import { drawCurves, drawHot, type DrawOptions, type Frame } from "./draw";
import type { Palette } from "./theme";

/** The picture of all curves, kept apart: while a run is emphasised it is dimmed and one curve lies over it, so that a hundred lines follow the pointer. */
export class Layer {
  private readonly canvas = document.createElement("canvas");
  private of: unknown[] = [];

  draw(ctx: CanvasRenderingContext2D, frame: Omit<Frame, "ctx">, scales: string, curves: Curve[], { hot, lead }: Emphasis, palette: Palette, options: DrawOptions): void {
    const { width, height } = ctx.canvas;
    const of = [scales, curves, lead, palette, options.log, options.nanLabel, width, height];
    if (of.some((part, i) => part !== this.of[i])) {
      [this.canvas.width, this.canvas.height] = [width, height];
      drawCurves({ ...frame, ctx: this.canvas.getContext("2d")! }, curves, lead, palette, options);
      this.of = of;
    }
    ctx.save();
    ctx.globalAlpha = hot === null ? 1 : palette.dim;
    ctx.drawImage(this.canvas, 0, 0);
    ctx.restore();
    if (hot !== null) drawHot({ ...frame, ctx }, curves, hot, palette, options);
  }
}
