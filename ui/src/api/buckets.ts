import type { BaseAxis } from "../url/board";
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
  x: BaseAxis;
  start: number | null;
  end: number | null;
  buckets: number;
  smoothing: number;
}

interface Table {
  buckets: number;
  offset: number;
}
interface Header<C extends string, T extends Table> {
  columns: C[];
  series: T[];
}
interface WireSeries extends Table {
  run_id: string;
  key: string;
  points: number;
  x_min: number;
  x_max: number;
}

/** Float64 values at a byte offset; a view when aligned, else a copy. */
function column(buffer: ArrayBuffer, offset: number, n: number): Float64Array {
  return offset % 8 === 0 ? new Float64Array(buffer, offset, n) : new Float64Array(buffer.slice(offset, offset + n * 8));
}

const headerLength = (buffer: ArrayBuffer) => new DataView(buffer).getUint32(0, true);

export function decodeHeader<H>(buffer: ArrayBuffer): H {
  return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerLength(buffer)))) as H;
}

/** Reads a binary answer: uint32 header length, JSON header, then each series' columns of little-endian float64. */
export function decodeTables<C extends string, T extends Table>(buffer: ArrayBuffer): { head: T; cols: Record<C, Float64Array> }[] {
  const length = headerLength(buffer);
  const header = decodeHeader<Header<C, T>>(buffer);
  const start = 4 + length;
  return header.series.map((head) => {
    const cols = {} as Record<C, Float64Array>;
    header.columns.forEach((name, i) => (cols[name] = column(buffer, start + head.offset + i * head.buckets * 8, head.buckets)));
    return { head, cols };
  });
}

export function decodeBuckets(buffer: ArrayBuffer): Series[] {
  return decodeTables<BucketColumn, WireSeries>(buffer).map(({ head, cols }) => ({ runId: head.run_id, key: head.key, n: head.buckets, points: head.points, xMin: head.x_min, xMax: head.x_max, cols }));
}

export async function queryBuckets(query: BucketQuery): Promise<Series[]> {
  return decodeBuckets(await postBinary(`${NATIVE}/metrics/buckets`, query));
}
