import type uPlot from "uplot";
import { formatDuration, isMoment } from "../model/format";
import type { XAxis } from "../url/board";
import { logLabels, logTicks, tickLabels, ticks, timeTicks, type Span } from "./scale";
import type { Palette } from "./theme";

interface AxisState {
  xAxis: XAxis;
  log: boolean;
  logX: boolean;
  percent: boolean;
  colours: Palette;
  locale: string;
}

const two = (n: number) => String(n).padStart(2, "0");

function clock(ms: number, step: number, locale: string): string {
  if (!isMoment(ms)) return ms.toExponential(1).replace("e+", "e");
  const date = new Date(ms);
  if (step >= 86_400_000) return date.toLocaleDateString(locale === "en" ? "en-GB" : locale, { day: "numeric", month: "short" });
  const seconds = step < 60_000 ? `:${two(date.getSeconds())}` : "";
  return `${two(date.getHours())}:${two(date.getMinutes())}${seconds}`;
}

// Before its first range uPlot asks for the ticks of none.
/** Ticks of the x-axis in steps, wall clock time, time since the start or the values of a metric. */
export function xTicks(axis: XAxis, low: number, high: number, wish: number, log = false): number[] {
  if (!(low < high)) return [];
  if (log) return logTicks([low, high], wish);
  if (axis.startsWith("metrics.")) return ticks([low, high], wish);
  if (axis === "step") return ticks([low, high], wish).filter((v, _, all) => Number.isInteger(v) || all.length < 3);
  const offset = axis === "time" ? new Date(isMoment(low) ? low : 0).getTimezoneOffset() * 60_000 : 0;
  return timeTicks([low, high], wish, offset);
}

export function xLabels(axis: XAxis, values: number[], locale: string, log = false): string[] {
  const plain = axis === "step" || axis.startsWith("metrics.");
  if (plain && log) return logLabels(values, locale);
  if (plain) return tickLabels(values, locale);
  const step = values.length > 1 ? values[1]! - values[0]! : 60_000;
  return values.map((v) => (axis === "time" ? clock(v, step, locale) : v === 0 ? "0" : formatDuration(v)));
}

export const yTicks = (span: Span, log: boolean, height: number) => (!(span[0] < span[1]) ? [] : log ? logTicks(span, height > 200 ? 6 : 4) : ticks(span, height > 200 ? 5 : 3.5));
export const yLabels = (values: number[], log: boolean, locale: string, percent: boolean) => (log ? logLabels(values, locale) : tickLabels(values, locale, percent));

/** Horizontal grid only, a line under the x-axis, no frame; 3 to 5 ticks with equal decimals. */
export function axes(state: () => AxisState): uPlot.Axis[] {
  const grid = { stroke: () => state().colours.grid, width: 1 };
  const font = () => state().colours.font;
  // On a logarithmic scale uPlot would blank labels that it finds too many; ours are few already.
  const filter = (_u: uPlot, splits: number[]) => splits;
  return [
    { scale: "x", size: 24, gap: 4, filter, stroke: () => state().colours.text3, font: font(), ticks: { show: false }, grid: { show: false }, border: { show: true, stroke: () => state().colours.axis, width: 1 },
      splits: (u, _axis, low, high) => xTicks(state().xAxis, low, high, u.width > 420 ? 6 : 3, state().logX),
      values: (_u, splits) => xLabels(state().xAxis, splits, state().locale, state().logX) },
    { scale: "y", size: 44, gap: 4, filter, stroke: () => state().colours.text3, font: font(), ticks: { show: false }, grid, border: { show: false },
      splits: (u, _axis, low, high) => yTicks([low, high], state().log, u.height),
      values: (_u, splits) => yLabels(splits, state().log, state().locale, state().percent) },
  ];
}
