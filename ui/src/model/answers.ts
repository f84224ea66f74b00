import type { Row, TextColumn } from "../api/table";

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const mid = sorted.length >> 1;
  return sorted.length % 2 ? sorted[mid]! : (sorted[mid - 1]! + sorted[mid]!) / 2;
}

export interface ParamDifference {
  key: string;
  value: string;
  usual: string;
}

const num = (row: Row, metric: string) => row.metrics[metric]?.last ?? null;

/** The runs that ended as they should: what is judged against each other. */
export const finishedRows = (rows: readonly Row[]) => rows.filter((r) => r.run.status === "FINISHED");

/** The finished run with the best last value; null when none has a finite one. */
export function bestRow(rows: readonly Row[], metric: string, lower: boolean): Row | null {
  const pool = finishedRows(rows).filter((r) => Number.isFinite(num(r, metric) ?? NaN));
  const better = (a: Row, b: Row) => (lower ? num(b, metric)! < num(a, metric)! : num(b, metric)! > num(a, metric)!);
  return pool.reduce<Row | null>((best, row) => (best === null || better(best, row) ? row : best), null);
}

/** How many runs are looked at for their most common values, on every page. */
export const LOOKED_AT = 1000;

/** The value most of the rows have; among equals the least in natural order. Rows without one do not count. */
export function commonest(values: readonly (string | null)[]): string | null {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0], "en", { numeric: true }))[0]?.[0] ?? null;
}

/** The most common value of every parameter among the finished runs, or among all while none has finished. */
export function usualValues(rows: readonly Row[], keys: readonly string[]): Record<string, string | null> {
  const finished = finishedRows(rows);
  const pool = finished.length ? finished : rows;
  return Object.fromEntries(keys.map((key) => [key, commonest(pool.map((r) => r.texts[`params.${key}`] ?? null))]));
}

/** Parameters in which a run differs from the baseline or, without one, from the most common value. A missing value is no difference. */
export function apart(run: Row, rows: readonly Row[], keys: readonly string[], baseline: Row | null): ParamDifference[] {
  const usual = baseline ? Object.fromEntries(keys.map((key) => [key, baseline.texts[`params.${key}`] ?? null])) : usualValues(rows, keys);
  return differences(Object.fromEntries(keys.map((key) => [key, run.texts[`params.${key}`] ?? null])), usual);
}

/** Where values differ from the usual ones, both being known. */
export function differences(values: Record<string, string | null>, usual: Record<string, string | null>): ParamDifference[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const other = usual[key] ?? null;
    return value === null || other === null || value === other ? [] : [{ key, value, usual: other }];
  });
}

function variance(values: number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
}

/** Omega squared: the share of a metric's spread between the values of one parameter, corrected for their number. */
function share(groups: number[][], all: number[]): number {
  const total = variance(all);
  const within = groups.reduce((sum, g) => sum + variance(g), 0);
  const freedom = all.length - groups.length;
  if (total <= 0 || freedom < 2) return 0;
  const error = within / freedom;
  return Math.max(0, (total - within - (groups.length - 1) * error) / (total + error));
}

/** The share of the spread of `values` that goes with their groups, 0 to 1; outliers are clipped. */
export function explainedShare(labels: readonly string[], values: readonly number[]): number {
  const clipped = clip(values);
  const groups = new Map<string, number[]>();
  labels.forEach((label, i) => groups.set(label, [...(groups.get(label) ?? []), clipped[i]!]));
  return groups.size > 1 && groups.size <= values.length / 2 ? share([...groups.values()], clipped) : 0;
}

/** Values within six median deviations of their median; those beyond stand at its edge. */
function clip(values: readonly number[]): number[] {
  const mid = median([...values]);
  const reach = 6 * Math.max(median(values.map((v) => Math.abs(v - mid))), 1e-12);
  return values.map((v) => Math.min(mid + reach, Math.max(mid - reach, v)));
}

const SEED = /(^|[/_.-])(random[_-]?state|((random|data|global|torch|numpy|np)[_-]?)?seed)($|[/_.-])/i;

/** Whether a parameter is the seed of a random generator: it sets no configuration apart. */
export const isSeed = (key: string) => SEED.test(key);

/** Keys of the parameters that vary among the runs, fewest values first. */
export function variedParams(params: readonly TextColumn[], runs: number): string[] {
  return params.filter((p) => p.distinct > 1 || p.runs < runs).sort((a, b) => a.distinct - b.distinct).map((p) => p.key);
}
