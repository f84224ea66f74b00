import type { Row, TextColumn } from "../api/table";
import { median, SHORT } from "./stability";

export interface ParamDifference {
  key: string;
  value: string | null;
  usual: string | null;
}

const num = (row: Row, metric: string) => row.metrics[metric]?.last ?? null;

/** The finished run with the best last value; runs still going count only when none has finished. */
export function bestRow(rows: readonly Row[], metric: string, lower: boolean): Row | null {
  const valued = rows.filter((r) => Number.isFinite(num(r, metric) ?? NaN));
  const finished = valued.filter((r) => r.run.status === "FINISHED");
  const pool = finished.length ? finished : valued;
  const better = (a: Row, b: Row) => (lower ? num(b, metric)! < num(a, metric)! : num(b, metric)! > num(a, metric)!);
  return pool.reduce<Row | null>((best, row) => (best === null || better(best, row) ? row : best), null);
}

/** The value most of the rows have. */
export function commonest(values: readonly (string | null)[]): string | null {
  const counts = new Map<string | null, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

/** Parameters in which a run differs from the baseline or, without one, from the commonest value. */
export function apart(run: Row, rows: readonly Row[], keys: readonly string[], baseline: Row | null): ParamDifference[] {
  return keys.flatMap((key) => {
    const column = `params.${key}`;
    const value = run.texts[column] ?? null;
    const usual = baseline ? (baseline.texts[column] ?? null) : commonest(rows.map((r) => r.texts[column] ?? null));
    return value === usual ? [] : [{ key, value, usual }];
  });
}

export interface Explained {
  key: string;
  share: number;
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

/** The parameter that explains most of the metric's spread; null below eight runs with a value. Outliers are clipped. */
export function explain(rows: readonly Row[], metric: string, keys: readonly string[]): Explained | null {
  const valued = rows.filter((r) => Number.isFinite(num(r, metric) ?? NaN));
  if (valued.length < 8) return null;
  const values = valued.map((r) => num(r, metric)!);
  const mid = median(values);
  const reach = 6 * Math.max(median(values.map((v) => Math.abs(v - mid))), 1e-12);
  const clipped = values.map((v) => Math.min(mid + reach, Math.max(mid - reach, v)));
  const scored = keys.map((key) => {
    const groups = new Map<string, number[]>();
    valued.forEach((row, i) => {
      const value = row.texts[`params.${key}`] ?? "";
      groups.set(value, [...(groups.get(value) ?? []), clipped[i]!]);
    });
    return { key, share: groups.size > 1 && groups.size <= valued.length / 2 ? share([...groups.values()], clipped) : 0 };
  });
  const best = scored.sort((a, b) => b.share - a.share)[0];
  return best && best.share > 0.05 ? best : null;
}

/** Runs whose loss ended in NaN or Inf, or over 1.5 times its best after rising by a tenth of its whole range: what the
 * table's aggregates can tell. */
export function unstableRows(rows: readonly Row[], loss: string): Row[] {
  return rows.filter((row) => {
    const cell = row.metrics[loss];
    if (!cell || cell.last === null) return false;
    const long = (cell.step ?? 0) >= SHORT;
    if (!Number.isFinite(cell.last)) return true;
    if (!long || cell.min === null || cell.max === null || cell.min <= 0) return false;
    return cell.last > 1.5 * cell.min && cell.last - cell.min > 0.1 * (cell.max - cell.min);
  });
}

/** Keys of the parameters that vary among the runs, fewest values first. */
export function variedParams(params: readonly TextColumn[], runs: number): string[] {
  return params.filter((p) => p.distinct > 1 || p.runs < runs).sort((a, b) => a.distinct - b.distinct).map((p) => p.key);
}

export interface Reproduction {
  lines: string[];
  commit: string | null;
  dirty: boolean | null;
  branch: string | null;
  python: string | null;
  missing: ("commit" | "command" | "environment")[];
}

const first = (tags: Record<string, string>, ...keys: string[]) => keys.map((k) => tags[k]).find((v) => v) ?? null;

/** The commands that start a run again, from what its tags say; what was not recorded is listed, not guessed. */
export function reproduction(tags: Record<string, string>): Reproduction {
  const commit = first(tags, "logbuch.git.commit", "mlflow.source.git.commit");
  const branch = first(tags, "logbuch.git.branch", "mlflow.source.git.branch");
  const dirtyTag = first(tags, "logbuch.git.dirty", "mlflow.source.git.dirty");
  const command = first(tags, "logbuch.command", "logbuch.source.command");
  const source = first(tags, "mlflow.source.name");
  const python = first(tags, "logbuch.python", "logbuch.environment.python");
  const lines: string[] = [];
  if (commit) lines.push(`git checkout ${commit.slice(0, 12)}`);
  if (command) lines.push(command);
  else if (source) lines.push(source.endsWith(".py") ? `python ${source}` : source);
  const missing: Reproduction["missing"] = [];
  if (!commit) missing.push("commit");
  if (!command && !source) missing.push("command");
  if (!python) missing.push("environment");
  return { lines, commit, branch, dirty: dirtyTag === null ? null : /^(true|1|yes)$/i.test(dirtyTag), python, missing };
}
