import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { queryTable, type Row, type TableQuery } from "../../api/table";
import { useTable } from "../../parts/queries";
import type { RunSet } from "./useRunSet";

/** Up to so many runs are drawn and listed. */
export const MOST_RUNS = 2000;
/** Of more runs: the best ones, and of the others stretches that lie evenly in their order, down to the last. */
export const BEST_RUNS = 1000;
const STRETCHES = 10;
const STRETCH = 100;

const NONE: Row[] = [];

/** Where the stretches begin in the order of all runs. */
export function stretches(total: number): number[] {
  const room = total - BEST_RUNS - STRETCH;
  return Array.from({ length: STRETCHES }, (_, i) => BEST_RUNS + Math.round((room * i) / (STRETCHES - 1)));
}

async function spread(query: TableQuery, total: number, signal: AbortSignal): Promise<Row[]> {
  const rows: Row[] = [];
  for (const offset of stretches(total)) rows.push(...(await queryTable({ ...query, offset, max_results: STRETCH }, signal)).rows);
  return rows;
}

/** The rows of the compared runs: all of them, or a sample that comes in two parts, the best runs first. */
export function useRows(set: RunSet, total: number, columns: readonly string[], parts: readonly string[], order: readonly string[], enabled: boolean) {
  const sampled = !set.named && total > MOST_RUNS;
  const query = useMemo<TableQuery>(() => ({ ...set.query, columns: [...columns], parts: [...parts], ...(sampled ? { order_by: [...order] } : {}) }), [set.query, columns, parts, order, sampled]);
  const key = [set.key, columns, parts, sampled ? order : null];
  const first = useTable("compare", { ...query, max_results: sampled ? BEST_RUNS : MOST_RUNS }, enabled, key);
  const rest = useQuery({ queryKey: ["compare-rest", ...key], queryFn: ({ signal }) => spread(query, total, signal), enabled: enabled && sampled && first.data !== undefined });
  const [near, far] = [first.data?.rows ?? NONE, sampled ? (rest.data ?? NONE) : NONE];
  const rows = useMemo(() => {
    if (!far.length) return near;
    const known = new Set(near.map((row) => row.run.run_id));
    return [...near, ...far.filter(({ run }) => !known.has(run.run_id) && known.add(run.run_id))];
  }, [near, far]);
  return { rows, sampled, answered: first.data !== undefined, error: first.error ?? rest.error };
}
