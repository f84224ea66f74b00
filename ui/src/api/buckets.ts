import type { XAxis } from "../url/experiment";
import { NATIVE, postBinary } from "./http";

export const COLUMNS = ["x", "x_last", "count", "min", "max", "first", "last", "mean", "smooth", "nan", "pos_inf", "neg_inf"] as const;
export type BucketColumn = (typeof COLUMNS)[number];

/** One metric of one run in n non-empty buckets with ascending x; every column has n values. */
export interface Series {
  runId: string;
  key: string;
  n: number;
  points: number;
  xMin: number;
  xMax: number;
  cols: Record<BucketColumn, Float64Array>;
}

export interface BucketQuery {
  run_ids: string[];
  keys: string[];
  x: XAxis;
  start: number | null;
  end: number | null;
  buckets: number;
  smoothing: number;
}

interface Header {
  columns: BucketColumn[];
  series: { run_id: string; key: string; buckets: number; points: number; offset: number; x_min: number; x_max: number }[];
}

/** Float64 values at a byte offset; a view when aligned, else a copy. */
function column(buffer: ArrayBuffer, offset: number, n: number): Float64Array {
  return offset % 8 === 0 ? new Float64Array(buffer, offset, n) : new Float64Array(buffer.slice(offset, offset + n * 8));
}

/** Reads the binary answer: uint32 header length, JSON header, then each series' columns of little-endian float64. */
export function decodeBuckets(buffer: ArrayBuffer): Series[] {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) as Header;
  const start = 4 + length;
  return header.series.map((s) => {
    const cols = {} as Record<BucketColumn, Float64Array>;
    header.columns.forEach((name, i) => (cols[name] = column(buffer, start + s.offset + i * s.buckets * 8, s.buckets)));
    return { runId: s.run_id, key: s.key, n: s.buckets, points: s.points, xMin: s.x_min, xMax: s.x_max, cols };
  });
}

export async function queryBuckets(query: BucketQuery): Promise<Series[]> {
  return decodeBuckets(await postBinary(`${NATIVE}/metrics/buckets`, query));
}
