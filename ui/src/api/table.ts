import { toNumber, type WireNumber } from "../model/number";
import { get, NATIVE, post, postBinary, queryString } from "./http";
import type { View } from "./experiments";
import type { RunInfo } from "./runs";
import { under } from "../url/base";

export interface TableQuery {
  experiment_ids?: string[];
  filter?: string;
  order_by?: string[];
  view?: View;
  max_results?: number;
  page_token?: string;
  offset?: number;
  columns?: string[];
  parts?: string[];
  run_ids?: string[];
}

/** One metric of one run. `null` where it was never logged; NaN and the infinities are values. */
export interface MetricCell {
  last: number | null;
  step: number | null;
  min: number | null;
  minStep: number | null;
  max: number | null;
  maxStep: number | null;
  /** Where runs are judged by their best value instead of the last one: that value. */
  judged?: number | null;
}

export interface Row {
  run: RunInfo;
  metrics: Record<string, MetricCell>;
  /** Params and tags by their full column key, such as "params.lr". */
  texts: Record<string, string | null>;
  /** The columns that were asked for, whether the run has them or not. */
  have?: ReadonlySet<string>;
}

export interface TablePage {
  rows: Row[];
  total: number;
  next: string;
}

interface WireMetric {
  last?: WireNumber[];
  step?: (number | null)[];
  min?: WireNumber[];
  min_step?: (number | null)[];
  max?: WireNumber[];
  max_step?: (number | null)[];
  value?: (string | null)[];
}
interface WirePage {
  runs?: RunInfo[];
  columns?: Record<string, WireMetric>;
  total?: number;
  next_page_token?: string | null;
}

function metricAt(column: WireMetric, i: number): MetricCell {
  return {
    last: toNumber(column.last?.[i]), step: column.step?.[i] ?? null,
    min: toNumber(column.min?.[i]), minStep: column.min_step?.[i] ?? null,
    max: toNumber(column.max?.[i]), maxStep: column.max_step?.[i] ?? null,
  };
}

/** Columns become rows: the page reads, sorts and diffs by run. */
export function toRows(page: WirePage): Row[] {
  const entries = Object.entries(page.columns ?? {});
  const have = new Set(entries.map(([key]) => key));
  return (page.runs ?? []).map((run, i) => {
    const row: Row = { run, metrics: {}, texts: {}, have };
    for (const [key, column] of entries) {
      if (key.startsWith("metrics.")) row.metrics[key.slice(8)] = metricAt(column, i);
      else row.texts[key] = column.value?.[i] ?? null;
    }
    return row;
  });
}

/** A row with more of its columns; the newer values win. */
export function mergeRow(old: Row, fresh: Row): Row {
  const have = new Set([...(old.have ?? []), ...(fresh.have ?? [])]);
  return { run: fresh.run, metrics: { ...old.metrics, ...fresh.metrics }, texts: { ...old.texts, ...fresh.texts }, have };
}

export async function queryTable(query: TableQuery, signal?: AbortSignal): Promise<TablePage> {
  const page = await post<WirePage>(`${NATIVE}/runs/table`, query, signal);
  return { rows: toRows(page), total: page.total ?? page.runs?.length ?? 0, next: page.next_page_token ?? "" };
}

export interface MetricColumn {
  key: string;
  runs: number;
}
export interface TextColumn extends MetricColumn {
  distinct: number;
  values: string[];
}
export interface Columns {
  runs: number;
  /** True while the counts are those of a sample: the real ones are being counted. */
  partial?: boolean;
  metrics: MetricColumn[];
  params: TextColumn[];
  tags: TextColumn[];
}

export async function getColumns(experimentIds: string[], signal?: AbortSignal): Promise<Columns> {
  const body = await get<Partial<Columns>>(`${NATIVE}/runs/columns`, { experiment_id: experimentIds, quick: "1" }, signal);
  return { runs: body.runs ?? 0, partial: body.partial ?? false, metrics: body.metrics ?? [], params: body.params ?? [], tags: body.tags ?? [] };
}

export type FileFormat = "csv" | "parquet";

/** Where a whole search result is downloaded from, with all columns or with those that are named. */
export function fileHref(format: FileFormat, experimentId: string, filter: string, orderBy: string[], view: View, columns: string[] = []): string {
  return under(`${NATIVE}/runs.${format}`) + queryString({ experiment_id: experimentId, filter: filter || undefined, order_by: orderBy, view, column: columns });
}

/** The file of some runs, in the order of a search. */
export async function exportRuns(format: FileFormat, query: TableQuery): Promise<Blob> {
  return new Blob([await postBinary(`${NATIVE}/runs/export`, { ...query, format })]);
}

const IDS_A_PAGE = 5000;

/** The ids of all runs of a search, in its order. */
export async function allIds(query: TableQuery): Promise<string[]> {
  const ids: string[] = [];
  for (let next = ""; ;) {
    const page: TablePage = await queryTable({ ...query, columns: [], max_results: IDS_A_PAGE, page_token: next || undefined });
    for (const row of page.rows) ids.push(row.run.run_id);
    if (!page.next) return ids;
    next = page.next;
  }
}
