import type { Columns, MetricCell, Row } from "../api/table";
import type { Brush } from "../url/compare";
import type { Criterion } from "./criterion";
import { quote, quoteKey, splitColumn } from "./filter";
import { isNumeric } from "./format";
import { isSystem } from "./metrics";

/** The compare page's figures: axes, brushes, quartiles. Columns are named "params.lr" and "metrics.loss". */

export type Value = number | string | null;

/** The value of a metric that a run is judged by; null where it was never logged. */
export const judgedValue = (cell: MetricCell | undefined): number | null => (cell === undefined ? null : cell.judged === undefined ? cell.last : cell.judged);

/** The rows with the values that they are judged by, where these are not the last ones of every metric. */
export function judgedRows(rows: readonly Row[], metrics: readonly string[], criterion: Criterion): Row[] {
  const parts = metrics.flatMap((key) => (criterion.part(key) === "last" ? [] : [[key, criterion.part(key)] as const]));
  if (!parts.length) return [...rows];
  return rows.map((row) => {
    const own = parts.flatMap(([key, part]) => (row.metrics[key] ? [[key, { ...row.metrics[key], judged: row.metrics[key][part] }] as const] : []));
    return { ...row, metrics: { ...row.metrics, ...Object.fromEntries(own) } };
  });
}

/** What a run has in a column: a number where it is one. NaN and the infinities count as missing. */
export function valueOf(row: Row, column: string): Value {
  if (column.startsWith("metrics.")) {
    const value = judgedValue(row.metrics[column.slice(8)]);
    return value !== null && Number.isFinite(value) ? value : null;
  }
  const text = row.texts[column] ?? null;
  if (text === null || text === "") return null;
  return isNumeric(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}

export interface Axis {
  column: string;
  /** Numbers from `low` to `high`, or words in their order. */
  words: string[] | null;
  low: number;
  high: number;
  log: boolean;
  /** A parameter's values, where they are so few that each is a mark. */
  few?: number[];
}

const FEW = 8;
const nameOf = (column: string) => column.slice(column.indexOf(".") + 1);
export const axisName = nameOf;

/** The axis of a column over some runs: logarithmic where a parameter spans more than a decade; words unless all values are numbers. */
export function axisOf(column: string, rows: readonly Row[]): Axis {
  const values = rows.map((row) => valueOf(row, column)).filter((v): v is number | string => v !== null);
  if (values.some((v) => typeof v === "string")) {
    const words = [...new Set(values.map(String))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    return { column, words, low: 0, high: Math.max(1, words.length - 1), log: false };
  }
  const numbers = values as number[];
  let [low, high] = [Infinity, -Infinity];
  for (const v of numbers) [low, high] = [Math.min(low, v), Math.max(high, v)];
  if (!numbers.length) return { column, words: null, low: 0, high: 1, log: false };
  const log = column.startsWith("params.") && low > 0 && high / low > 10;
  if (low === high) return { column, words: null, low: low - Math.abs(low || 1) * 0.5, high: high + Math.abs(high || 1) * 0.5, log: false };
  const distinct = [...new Set(numbers)].sort((a, b) => a - b);
  const axis: Axis = { column, words: null, low, high, log };
  return column.startsWith("params.") && distinct.length <= FEW ? { ...axis, few: distinct } : axis;
}

/** Where a value stands on its axis, 0 to 1; null for a missing one. */
export function placeOn(axis: Axis, value: Value): number | null {
  if (value === null) return null;
  if (axis.words) {
    const at = axis.words.indexOf(String(value));
    return at < 0 ? null : axis.words.length < 2 ? 0.5 : at / (axis.words.length - 1);
  }
  if (typeof value !== "number") return null;
  return axis.log ? Math.log(value / axis.low) / Math.log(axis.high / axis.low) : (value - axis.low) / (axis.high - axis.low);
}

/** The number at a place of an axis; the inverse of `placeOn`. */
export function numberAt(axis: Axis, place: number): number {
  return axis.log ? axis.low * (axis.high / axis.low) ** place : axis.low + place * (axis.high - axis.low);
}

/** Whole marks of an axis, in order: words, powers and their halves, or rounded steps. */
export function marksOf(axis: Axis, most = 5): { place: number; value: Value }[] {
  if (axis.words) {
    const step = Math.ceil(axis.words.length / 12);
    return axis.words.flatMap((word, i) => (i % step ? [] : [{ place: placeOn(axis, word)!, value: word }]));
  }
  const inside = (values: number[]) => values.map((value) => ({ value, place: placeOn(axis, value)! })).filter(({ place }) => place > -1e-9 && place < 1 + 1e-9);
  if (axis.few) return inside(axis.few);
  if (axis.log) {
    const [from, to] = [Math.floor(Math.log10(axis.low)), Math.ceil(Math.log10(axis.high))];
    const powers = Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
    const found = inside(powers.flatMap((p) => (to - from < 3 ? [p, 2 * p, 5 * p] : [p])).map((v) => Number(v.toPrecision(3))));
    return found.filter((_, i) => i % Math.ceil(found.length / (most + 2)) === 0);
  }
  const rough = (axis.high - axis.low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((f) => f * power).find((s) => s >= rough) ?? rough;
  const first = Math.ceil(axis.low / step - 1e-9);
  const count = Math.floor(axis.high / step + 1e-9) - first + 1;
  return inside(Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * step).toPrecision(12))));
}

/** True for a run that all brushes let through; several on one axis join. */
export function passes(row: Row, brushes: readonly Brush[]): boolean {
  const byKey = new Map<string, Brush[]>();
  for (const brush of brushes) byKey.set(brush.key, [...(byKey.get(brush.key) ?? []), brush]);
  return [...byKey].every(([key, list]) => {
    const value = valueOf(row, key);
    if (value === null) return false;
    return list.some((brush) => ("words" in brush ? brush.words.includes(String(value)) : typeof value === "number" && value >= brush.from && value <= brush.to));
  });
}

/** One brush in the search language; numbers that are written in another way are the same value. */
function conditionsOf(brush: Brush, name: string): string[] {
  const between = (from: number | string, to: number | string) => `${name} >= ${from} AND ${name} <= ${to}`;
  if (!("words" in brush)) return [between(brush.from, brush.to)];
  const texts = brush.words.filter((word) => !isNumeric(word));
  return [...(texts.length ? [`${name} IN (${texts.map(quote).join(", ")})`] : []), ...brush.words.filter(isNumeric).map((word) => between(word, word))];
}

/** What `passes` lets through, in the search language; "" without brushes. A metric is read as runs are judged by it. */
export function brushFilter(brushes: readonly Brush[], part: Criterion["part"]): string {
  const nameOn = (column: string) => {
    const [kind, key] = splitColumn(column);
    const name = `${kind}.${quoteKey(key)}`;
    return kind === "metrics" && part(key) !== "last" ? `${part(key)}(${name})` : name;
  };
  return [...new Set(brushes.map((brush) => brush.key))].map((key) => {
    const joined = brushes.filter((brush) => brush.key === key).flatMap((brush) => conditionsOf(brush, nameOn(key)));
    return joined.length > 1 ? `(${joined.join(" OR ")})` : joined[0];
  }).join(" AND ");
}

export interface Box {
  label: string;
  count: number;
  low: number;
  q1: number;
  median: number;
  q3: number;
  high: number;
  /** Values beyond one and a half interquartile ranges. */
  outliers: number[];
}

/** The quantile of sorted values, linear between neighbours. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return low + (high - low) * (at - Math.floor(at));
}

export function boxOf(label: string, values: readonly number[]): Box {
  const sorted = [...values].sort((a, b) => a - b);
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((q) => quantile(sorted, q)) as [number, number, number];
  const reach = 1.5 * (q3 - q1);
  const inside = sorted.filter((v) => v >= q1 - reach && v <= q3 + reach);
  return { label, count: sorted.length, low: inside[0]!, q1, median, q3, high: inside[inside.length - 1]!, outliers: sorted.filter((v) => v < q1 - reach || v > q3 + reach) };
}

/** The target's values by those of a column, in the column's order; numbers with very many values are binned by size. */
export function boxes(rows: readonly Row[], by: string, target: string, format: (value: Value) => string, most = 24): Box[] {
  const axis = axisOf(by, rows);
  const groups = new Map<string, { order: number; values: number[] }>();
  const distinct = new Set(rows.map((row) => valueOf(row, by))).size;
  for (const row of rows) {
    const [key, value] = [valueOf(row, by), valueOf(row, `metrics.${target}`)];
    const place = placeOn(axis, key);
    if (typeof value !== "number" || place === null) continue;
    const bin = distinct > most && !axis.words ? Math.min(7, Math.floor(place * 8)) : null;
    const label = bin === null ? format(key) : `${format(numberAt(axis, bin / 8))} – ${format(numberAt(axis, (bin + 1) / 8))}`;
    const group = groups.get(label) ?? { order: bin ?? place, values: [] };
    group.values.push(value);
    groups.set(label, group);
  }
  return [...groups].sort((a, b) => a[1].order - b[1].order).slice(0, most).map(([label, { values }]) => boxOf(label, values));
}

const MOST_COLUMNS = 60;

/** What the compare page fetches: parameters that vary first, then metrics, then tags of the user's own. */
export function comparedColumns(columns: Columns, runs: number): string[] {
  const varied = [...columns.params].sort((a, b) => Number(b.distinct > 1) - Number(a.distinct > 1));
  const own = columns.tags.filter((tag) => !tag.key.startsWith("mlflow.") && !tag.key.startsWith("logbuch."));
  const all = [...varied.map((p) => `params.${p.key}`), ...columns.metrics.filter((m) => !isSystem(m.key)).map((m) => `metrics.${m.key}`), ...own.map((tag) => `tags.${tag.key}`)];
  if (runs <= 100) return all.slice(0, 1500);
  const some = (kind: string, most: number) => all.filter((c) => c.startsWith(kind)).slice(0, most);
  return [...some("params.", MOST_COLUMNS), ...some("metrics.", MOST_COLUMNS), ...some("tags.", 20)];
}

/** Lines of two texts: kept in both, only in the first, only in the second. */
export type DiffLine = { kind: "same" | "out" | "in"; text: string };
const MOST_CELLS = 6_000_000;

/** A line diff by the longest common subsequence; null where the texts are too long for it. */
export function diffLines(before: string, after: string): DiffLine[] | null {
  const [a, b] = [before, after].map((text) => (text === "" ? [] : text.replace(/\n$/, "").split("\n"))) as [string[], string[]];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const [x, y] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  if (x.length * y.length > MOST_CELLS) return null;
  const width = y.length + 1;
  const table = new Uint32Array((x.length + 1) * width);
  for (let i = x.length - 1; i >= 0; i--)
    for (let j = y.length - 1; j >= 0; j--)
      table[i * width + j] = x[i] === y[j] ? table[(i + 1) * width + j + 1]! + 1 : Math.max(table[(i + 1) * width + j]!, table[i * width + j + 1]!);
  const lines: DiffLine[] = a.slice(0, head).map((text) => ({ kind: "same", text }));
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      lines.push({ kind: "same", text: x[i]! });
      [i, j] = [i + 1, j + 1];
    } else if (j >= y.length || (i < x.length && table[(i + 1) * width + j]! >= table[i * width + j + 1]!)) lines.push({ kind: "out", text: x[i++]! });
    else lines.push({ kind: "in", text: y[j++]! });
  }
  return [...lines, ...a.slice(a.length - tail).map((text): DiffLine => ({ kind: "same", text }))];
}
