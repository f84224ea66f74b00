import { saveBlob } from "../ui/save";
import type { Curve } from "./curve";

const fileName = (key: string, ending: string) => `${key.replace(/[^\w.-]+/g, "_")}.${ending}`;

/** Saves a chart's canvas on the card's own background. */
export function savePng(canvas: HTMLCanvasElement, background: string, key: string): void {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const ctx = copy.getContext("2d")!;
  ctx.fillStyle = background;
  ctx.fillRect(0, 0, copy.width, copy.height);
  ctx.drawImage(canvas, 0, 0);
  copy.toBlob((blob) => blob && saveBlob(blob, fileName(key, "png")));
}

/** A CSV cell; what a spreadsheet would run as a formula is kept as text. */
function cell(text: string): string {
  const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const saveSvg = (picture: string, key: string) => saveBlob(new Blob([picture], { type: "image/svg+xml" }), fileName(key, "svg"));

/** Saves what is drawn, one line a bucket; numbers with a point whatever the language. */
export function saveCsv(curves: Curve[], key: string): void {
  const lines = ["run_id,run,metric,x,x_last,count,min,max,last,smooth"];
  for (const { id, key: metric, name, series } of curves)
    for (let i = 0; i < series.n; i++) {
      const { x, x_last, count, min, max, last, smooth } = series.cols;
      lines.push([cell(id), cell(name), cell(metric), x[i], x_last[i], count[i], min[i], max[i], last[i], smooth[i]].join(","));
    }
  saveBlob(new Blob([lines.join("\n")], { type: "text/csv" }), fileName(key, "csv"));
}
