import type { BaseAxis } from "../url/board";
import { decodeHeader, decodeTables } from "./buckets";
import { NATIVE, postBinary } from "./http";

export const GROUP_COLUMNS = ["x", "x_last", "runs", "mean", "std", "stderr", "low", "high", "min", "max", "nan", "pos_inf", "neg_inf"] as const;
export type GroupColumn = (typeof GROUP_COLUMNS)[number];

/** One metric of one group of runs in n buckets; `runs` of the columns is how many runs have a finite value there. */
export interface GroupSeries {
  group: number;
  key: string;
  runs: number;
  n: number;
  xMin: number;
  xMax: number;
  cols: Record<GroupColumn, Float64Array>;
}

/** The runs of a search, grouped by params, tags or attributes. */
export interface GroupSource {
  experiment_ids: string[];
  filter: string;
  view: string;
  by: string[];
}

export interface GroupBucketQuery extends GroupSource {
  keys: string[];
  x: BaseAxis;
  start: number | null;
  end: number | null;
  buckets: number;
}

interface WireSeries {
  group: number;
  key: string;
  runs: number;
  buckets: number;
  offset: number;
  x_min: number;
  x_max: number;
}

export interface GroupCurves {
  /** The values of each group, in the order of `by`; null where runs have none. */
  groups: (string | null)[][];
  series: GroupSeries[];
}

export function decodeGroups(buffer: ArrayBuffer, by: readonly string[]): GroupCurves {
  const { groups } = decodeHeader<{ groups: { values?: Record<string, string | null> }[] }>(buffer);
  return {
    groups: groups.map(({ values = {} }) => by.map((key) => values[key] ?? null)),
    series: decodeTables<GroupColumn, WireSeries>(buffer).map(({ head, cols }) => ({ group: head.group, key: head.key, runs: head.runs, n: head.buckets, xMin: head.x_min, xMax: head.x_max, cols })),
  };
}

export async function queryGroupBuckets(query: GroupBucketQuery, signal?: AbortSignal): Promise<GroupCurves> {
  return decodeGroups(await postBinary(`${NATIVE}/metrics/group-buckets`, query, signal), query.by);
}
