import type uPlot from "uplot";
import { formatDuration } from "../model/format";
import type { XAxis } from "../url/experiment";
import { logLabels, logTicks, tickLabels, ticks, timeTicks } from "./scale";
import type { Palette } from "./theme";

interface AxisState {
  xAxis: XAxis;
  log: boolean;
  percent: boolean;
  colours: Palette;
  locale: string;
}

const two = (n: number) => String(n).padStart(2, "0");

function clock(ms: number, step: number, locale: string): string {
  const date = new Date(ms);
  if (step >= 86_400_000) return date.toLocaleDateString(locale === "en" ? "en-GB" : locale, { day: "numeric", month: "short" });
  const seconds = step < 60_000 ? `:${two(date.getSeconds())}` : "";
  return `${two(date.getHours())}:${two(date.getMinutes())}${seconds}`;
}

/** Ticks of the x-axis in steps, wall clock time or time since the start. */
export function xTicks(axis: XAxis, low: number, high: number, wish: number): number[] {
  if (axis === "step") return ticks([low, high], wish).filter((v, _, all) => Number.isInteger(v) || all.length < 3);
  const offset = axis === "time" ? new Date(low).getTimezoneOffset() * 60_000 : 0;
  return timeTicks([low, high], wish, offset);
}

export function xLabels(axis: XAxis, values: number[], locale: string): string[] {
  const step = values.length > 1 ? values[1]! - values[0]! : 60_000;
  if (axis === "step") return tickLabels(values, locale);
  return values.map((v) => (axis === "time" ? clock(v, step, locale) : v === 0 ? "0" : formatDuration(v)));
}

/** Horizontal grid only, a line under the x-axis, no frame; 3 to 5 ticks with equal decimals. */
export function axes(state: () => AxisState): uPlot.Axis[] {
  const grid = { stroke: () => state().colours.grid, width: 1 };
  const font = () => state().colours.font;
  return [
    { scale: "x", size: 24, gap: 4, stroke: () => state().colours.text3, font: font(), ticks: { show: false }, grid: { show: false }, border: { show: true, stroke: () => state().colours.axis, width: 1 },
      splits: (u, _axis, low, high) => xTicks(state().xAxis, low, high, u.width > 420 ? 6 : 3),
      values: (_u, splits) => xLabels(state().xAxis, splits, state().locale) },
    { scale: "y", size: 44, gap: 4, stroke: () => state().colours.text3, font: font(), ticks: { show: false }, grid, border: { show: false },
      splits: (u, _axis, low, high) => (state().log ? logTicks([low, high], u.height > 200 ? 6 : 4) : ticks([low, high], u.height > 200 ? 5 : 3.5)),
      values: (_u, splits) => (state().log ? logLabels(splits, state().locale) : tickLabels(splits, state().locale, state().percent)) },
  ];
}
