import type { Row, TextColumn } from "../api/table";
import { LABEL, SEED } from "./names";

export interface ParamDifference {
  key: string;
  value: string;
  usual: string;
}

/** The runs that ended as they should: what is judged against each other. */
export const finishedRows = (rows: readonly Row[]) => rows.filter((r) => r.run.status === "FINISHED");

/** The finished run with the best value by which runs are judged; null when none has a finite one. */
export function bestRow(rows: readonly Row[], value: (row: Row) => number | null, lower: boolean): Row | null {
  const pool = finishedRows(rows).filter((r) => Number.isFinite(value(r) ?? NaN));
  const better = (a: Row, b: Row) => (lower ? value(b)! < value(a)! : value(b)! > value(a)!);
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

/** The most common value of every parameter among the other finished runs, or among all others while none has finished:
 * what a run itself has is no reason to call it usual. */
export function usualValues(runId: string, rows: readonly Row[], keys: readonly string[]): Record<string, string | null> {
  const others = rows.filter((r) => r.run.run_id !== runId);
  const finished = finishedRows(others);
  const pool = finished.length ? finished : others;
  return Object.fromEntries(keys.map((key) => [key, commonest(pool.map((r) => r.texts[`params.${key}`] ?? null))]));
}

/** Parameters in which a run differs from the baseline or, without one, from what most others have. A missing value is no difference. */
export function apart(run: Row, rows: readonly Row[], keys: readonly string[], baseline: Row | null): ParamDifference[] {
  const usual = baseline ? Object.fromEntries(keys.map((key) => [key, baseline.texts[`params.${key}`] ?? null])) : usualValues(run.run.run_id, rows, keys);
  return differences(Object.fromEntries(keys.map((key) => [key, run.texts[`params.${key}`] ?? null])), usual);
}

/** Where values differ from the usual ones, both being known. */
export function differences(values: Record<string, string | null>, usual: Record<string, string | null>): ParamDifference[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const other = usual[key] ?? null;
    return value === null || other === null || value === other ? [] : [{ key, value, usual: other }];
  });
}

/** Whether a parameter sets no training apart: the seed of a random generator, or what only names a run and its places. */
export const isAside = (key: string) => SEED.test(key) || LABEL.test(key);

/** Keys of the parameters that vary among the runs, fewest values first. */
export function variedParams(params: readonly TextColumn[], runs: number): string[] {
  return params.filter((p) => p.distinct > 1 || p.runs < runs).sort((a, b) => a.distinct - b.distinct).map((p) => p.key);
}
