import { toNumber, type WireNumber } from "../model/number";
import { get, NATIVE, post, queryString } from "./http";
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
  columns?: string[];
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
}

export interface Row {
  run: RunInfo;
  metrics: Record<string, MetricCell>;
  /** Params and tags by their full column key, such as "params.lr". */
  texts: Record<string, string | null>;
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
  return (page.runs ?? []).map((run, i) => {
    const row: Row = { run, metrics: {}, texts: {} };
    for (const [key, column] of entries) {
      if (key.startsWith("metrics.")) row.metrics[key.slice(8)] = metricAt(column, i);
      else row.texts[key] = column.value?.[i] ?? null;
    }
    return row;
  });
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
  metrics: MetricColumn[];
  params: TextColumn[];
  tags: TextColumn[];
}

export async function getColumns(experimentIds: string[], signal?: AbortSignal): Promise<Columns> {
  const body = await get<Partial<Columns>>(`${NATIVE}/runs/columns`, { experiment_id: experimentIds }, signal);
  return { runs: body.runs ?? 0, metrics: body.metrics ?? [], params: body.params ?? [], tags: body.tags ?? [] };
}

/** Where the CSV of a whole search result is downloaded from. */
export function csvHref(experimentId: string, filter: string, orderBy: string[], view: View): string {
  return under(`${NATIVE}/runs.csv`) + queryString({ experiment_id: experimentId, filter: filter || undefined, order_by: orderBy, view });
}

