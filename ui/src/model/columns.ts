import type { Columns, Row } from "../api/table";
import { formatParam } from "./format";
import { isEval, isLoss, isSystem, splitKey } from "./metrics";

/** What of a metric a column shows; `best` is the least or the greatest value, whichever is better. */
export type Aggregate = "last" | "min" | "max" | "best";

/** A column of the runs table. Its id is what the URL holds. */
export interface Column {
  id: string;
  kind: "metric" | "param" | "tag" | "spark" | "delta" | "duration" | "started" | "user";
  key: string;
  group: string;
  name: string;
  aggregate: Aggregate;
  /** What the server sorts by; null when it cannot. */
  sort: string | null;
  width: number;
  left: boolean;
  /** A line without its last value, which another column shows. */
  bare?: boolean;
  /** Stays in view while the others scroll sideways. */
  pinned?: boolean;
}

const RUN_COLUMNS = { duration: 78, started: 84, user: 84 } as const;
const SPARK_WIDTH = 124;
const BARE_SPARK_WIDTH = 92;
const MOST_WIDTH = 128;
const AGGREGATES: Aggregate[] = ["min", "max", "best"];
export const LEAST_WIDTH = 44;
export const WIDEST = 600;
const width = (name: string, least: number) => Math.min(MOST_WIDTH, Math.max(least, Math.round(name.length * 6.4) + 22));

/** The id of a metric's column with another aggregate. */
export const metricId = (key: string, aggregate: Aggregate) => (aggregate === "last" ? `metrics.${key}` : `${aggregate}:metrics.${key}`);

/** Reads a column id: "metrics.loss", "min:metrics.loss", "params.lr", "tags.t", "spark.loss", "delta.loss", "run.duration". */
export function toColumn(id: string): Column | null {
  const aggregate = AGGREGATES.find((a) => id.startsWith(`${a}:`)) ?? "last";
  const full = aggregate === "last" ? id : id.slice(aggregate.length + 1);
  const dot = full.indexOf(".");
  const [space, key] = [full.slice(0, dot), full.slice(dot + 1)];
  if (dot < 1 || !key) return null;
  const [namespace, name] = splitKey(key);
  const base = { id, key, aggregate, left: false };
  switch (space) {
    case "metrics":
      return { ...base, kind: "metric", group: namespace || "metrics", name, sort: id, width: width(aggregate === "last" ? name : `${name} ${aggregate}`, 68) };
    case "spark":
      return { ...base, kind: "spark", group: namespace || "metrics", name, sort: null, width: SPARK_WIDTH, left: true };
    case "delta":
      return { ...base, kind: "delta", group: namespace || "metrics", name: "Δ", sort: null, width: 68 };
    case "params":
      return { ...base, kind: "param", group: "params", name: key, sort: full, width: width(key, 62) };
    case "tags":
      return { ...base, kind: "tag", group: "tags", name: key, sort: full, width: width(key, 90), left: true };
    case "run":
      if (key === "duration") return { ...base, kind: "duration", group: "run", name: key, sort: "attributes.duration", width: RUN_COLUMNS.duration };
      if (key === "started") return { ...base, kind: "started", group: "run", name: key, sort: "attributes.start_time", width: RUN_COLUMNS.started };
      if (key === "user") return { ...base, kind: "user", group: "run", name: key, sort: "attributes.user_id", width: RUN_COLUMNS.user, left: true };
      return null;
    default:
      return null;
  }
}

/** The columns of a list of ids. A line stands alone where its last value has a column of its own. */
export function toColumns(ids: readonly string[]): Column[] {
  return ids.flatMap((id) => {
    const column = toColumn(id);
    if (column === null) return [];
    return [column.kind === "spark" && ids.includes(`metrics.${column.key}`) ? { ...column, bare: true, width: BARE_SPARK_WIDTH } : column];
  });
}

/** A parameter's column is as wide as its values need; `width` of a name alone would cut long numbers. */
export function fitValues(column: Column, columns: Columns | undefined): Column {
  const known = column.kind === "param" ? columns?.params.find((p) => p.key === column.key) : undefined;
  const longest = Math.max(0, ...(known?.values ?? []).map((v) => formatParam(v).length));
  return { ...column, width: Math.max(column.width, Math.min(MOST_WIDTH, Math.round(longest * 6.8) + 20)) };
}

/** What the table asks the server for, to show a column; null when it needs nothing. */
export function wireColumn({ kind, key }: Column): string | null {
  if (kind === "metric" || kind === "delta" || kind === "spark") return `metrics.${key}`;
  return kind === "param" ? `params.${key}` : kind === "tag" ? `tags.${key}` : null;
}

const isOwnTag = (key: string) => !key.startsWith("mlflow.") && !key.startsWith("logbuch.");
const MOST_PARAMS = 8;

/** The columns before anybody chose: main metric and another, the loss as a line, what varied, then the rest. */
export function defaultColumns(columns: Columns, main: string | null, trainLoss: string | null, reading: Aggregate = "last"): string[] {
  const metrics = columns.metrics.map((m) => m.key).filter((key) => !isSystem(key) && key !== main);
  const more = metrics.filter((key) => isEval(key) && key !== trainLoss).slice(0, main ? 1 : 2);
  const train = metrics.filter((key) => !isEval(key) && key !== trainLoss);
  const norm = train.find((key) => /grad(ient)?_?norm/i.test(key));
  const others = train.filter((key) => isLoss(key) && key !== norm).slice(0, 1);
  const varied = columns.params.filter((p) => p.distinct > 1 || p.runs < columns.runs);
  // What has several values tells more than what only some runs have.
  const params = (varied.length ? [...varied].sort((a, b) => Number(b.distinct > 1) - Number(a.distinct > 1)) : columns.params).slice(0, MOST_PARAMS);
  const tags = columns.tags.filter((t) => isOwnTag(t.key) && t.distinct > 1).slice(0, 2);
  return [
    ...(main ? [metricId(main, reading)] : []), ...more.map((k) => `metrics.${k}`),
    ...(trainLoss ? [`spark.${trainLoss}`] : []), ...params.map((p) => `params.${p.key}`),
    ...(norm ? [`max:metrics.${norm}`] : []), ...others.map((k) => `metrics.${k}`), ...tags.map((t) => `tags.${t.key}`), "run.duration", "run.started",
  ];
}

/** Puts the change against the baseline right after every metric. Beside a last value it is that of the kept reading. */
export function withDelta(columns: readonly Column[], reading: (key: string) => Aggregate = () => "last"): Column[] {
  return columns.flatMap((column) => {
    if (column.kind !== "metric") return [column];
    const delta = toColumn(`delta.${column.key}`)!;
    const aggregate = column.aggregate === "last" ? reading(column.key) : column.aggregate;
    return [column, { ...delta, id: `delta.${column.id}`, aggregate, pinned: column.pinned }];
  });
}

/** The pinned columns first, each part in its own order. */
export function withPinned(columns: readonly Column[], pinned: readonly string[]): Column[] {
  const marked = columns.map((column) => (pinned.includes(column.id) ? { ...column, pinned: true } : column));
  return [...marked.filter((c) => c.pinned), ...marked.filter((c) => !c.pinned)];
}

/** Columns with the widths that somebody gave them. */
export function withWidths(columns: readonly Column[], widths: Readonly<Record<string, number>>): Column[] {
  return columns.map((column) => {
    const given = widths[column.id];
    return given === undefined ? column : { ...column, width: Math.min(WIDEST, Math.max(LEAST_WIDTH, given)) };
  });
}

/** The ids with `id` standing where `target` stood: before it when it comes from the right, behind it from the left. */
export function moveColumn(ids: readonly string[], id: string, target: string): string[] {
  const [from, to] = [ids.indexOf(id), ids.indexOf(target)];
  if (from < 0 || to < 0 || from === to) return [...ids];
  const left = ids.filter((one) => one !== id);
  left.splice(to, 0, id);
  return left;
}

/** Where columns begin: as many as there are, and the end of the last. */
export function offsetsOf(columns: readonly Column[]): number[] {
  const offsets = [0];
  for (const column of columns) offsets.push(offsets[offsets.length - 1]! + column.width);
  return offsets;
}

/** The first and one behind the last column that a window of the row shows, and `more` on each side. */
export function windowOf(offsets: readonly number[], from: number, width: number, more = 3): [number, number] {
  const count = offsets.length - 1;
  const search = (x: number) => {
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (offsets[middle + 1]! <= x) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return [Math.max(0, search(from) - more), Math.min(count, search(from + width) + 1 + more)];
}

/** The part of a metric that `best` stands for. */
export const partOf = (aggregate: Aggregate, lower: boolean): "last" | "min" | "max" => (aggregate === "best" ? (lower ? "min" : "max") : aggregate);

export function metricValue(row: Row, key: string, aggregate: Aggregate, lower = true): number | null {
  return row.metrics[key]?.[partOf(aggregate, lower)] ?? null;
}

/** True when the rows show at least two different things in this column. */
export function differs(column: Column, rows: readonly Row[]): boolean {
  const value = (row: Row) => (column.kind === "metric" ? metricValue(row, column.key, column.aggregate) : (row.texts[column.id] ?? null));
  if (column.kind !== "metric" && column.kind !== "param" && column.kind !== "tag") return true;
  return rows.length < 2 || rows.some((row) => !Object.is(value(row), value(rows[0]!)));
}

/** Neighbouring columns of one namespace, for the upper header line. */
export function headerGroups(columns: readonly Column[]): { group: string; columns: Column[] }[] {
  const groups: { group: string; columns: Column[] }[] = [];
  for (const column of columns) {
    const last = groups[groups.length - 1];
    if (last?.group === column.group) last.columns.push(column);
    else groups.push({ group: column.group, columns: [column] });
  }
  return groups;
}

/** The metric that a sort key such as "metrics.eval/loss" or "min:metrics.eval/loss" names, and which of its values. */
export function sortedMetric(key: string): { key: string; aggregate: Aggregate } | null {
  const column = toColumn(key);
  return column?.kind === "metric" ? column : null;
}

/** A column as a file of runs names it; null for what is in every file, and for lines and changes. */
export function fileColumn(column: Column, lower: (key: string) => boolean): string | null {
  if (column.kind !== "metric") return column.kind === "param" || column.kind === "tag" ? wireColumn(column) : null;
  const part = partOf(column.aggregate, lower(column.key));
  return part === "last" ? `metrics.${column.key}` : `${part}(metrics.${column.key})`;
}

/** A sort key that names no best value, but the least or the greatest that it stands for. */
export function plainSort(key: string, lower: (key: string) => boolean): string {
  const metric = sortedMetric(key);
  return metric ? metricId(metric.key, partOf(metric.aggregate, lower(metric.key))) : key;
}

/** What a sort key names in the server's language. */
function orderKey(key: string, lower: (key: string) => boolean): string {
  if (key.startsWith("attributes.")) return key;
  const metric = sortedMetric(key);
  const [kind, name] = metric ? ["metrics", metric.key] : [key.slice(0, key.indexOf(".")), key.slice(key.indexOf(".") + 1)];
  const quoted = `${kind}.\`${name.replaceAll("`", "``")}\``;
  const part = metric ? partOf(metric.aggregate, lower(metric.key)) : "last";
  return part === "last" ? quoted : `${part}(${quoted})`;
}

/** The order_by clauses of the server for a list of sort keys. `lower` tells which extreme of a metric is its best. */
export function orderBy(sort: readonly { key: string; desc: boolean }[], lower: (key: string) => boolean): string[] {
  return sort.map(({ key, desc }) => `${orderKey(key, lower)} ${desc ? "DESC" : "ASC"}`);
}
