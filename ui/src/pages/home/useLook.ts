import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { queryBuckets } from "../../api/buckets";
import type { Experiment } from "../../api/experiments";
import type { Row } from "../../api/table";
import { isLoss, isSystem } from "../../model/metrics";
import { ERROR_TAG, lookFilter, LOST_TAG, problemsOf, type Problem } from "../../model/problems";
import { useColumns, useTable } from "../../parts/queries";
import { useNow } from "../../ui/hooks";

export interface Look {
  row: Row;
  problems: Problem[];
}

const EXPERIMENTS = 60;
const LATEST = 100;
const MOST_LOSSES = 12;
const MOST_KEYS = 20;
const MOST_SERIES = 1000;
const DAY_MS = 86_400_000;
const DAYS = 14;
const AGAIN_MS = 60_000;

/** When each running run last logged a metric, Unix milliseconds. Without a known metric a run is missing. */
function useLastPoints(runIds: string[], keys: string[]): Map<string, number> {
  const asked = runIds.slice(0, Math.floor(MOST_SERIES / Math.max(1, keys.length)));
  const found = useQuery({
    queryKey: ["last-points", asked, keys], enabled: asked.length > 0 && keys.length > 0, refetchInterval: AGAIN_MS,
    queryFn: () => queryBuckets({ run_ids: asked, keys, x: "time", start: null, end: null, buckets: 1, smoothing: 0 }),
  });
  return useMemo(() => {
    const last = new Map<string, number>();
    for (const { runId, xMax } of found.data ?? []) last.set(runId, Math.max(xMax, last.get(runId) ?? 0));
    return last;
  }, [found.data]);
}

/** Runs that failed, broke, fell silent or lost records, among the latest of the busiest experiments. */
export function useLook(busy: readonly Experiment[]): { found: Look[]; waiting: boolean } {
  const now = useNow(30_000);
  const ids = useMemo(() => busy.filter((e) => e.runs > 0).slice(0, EXPERIMENTS).map((e) => e.experiment_id).sort(), [busy]);
  const columns = useColumns(ids);
  const metrics = useMemo(() => columns.data?.metrics.map((m) => m.key) ?? [], [columns.data]);
  const losses = useMemo(() => metrics.filter((key) => isLoss(key) && !isSystem(key)).slice(0, MOST_LOSSES), [metrics]);
  const keys = useMemo(() => [...metrics.filter((k) => !isSystem(k)), ...metrics.filter(isSystem)].slice(0, MOST_KEYS), [metrics]);
  const wire = [...losses.map((k) => `metrics.${k}`), `tags.${ERROR_TAG}`, `tags.${LOST_TAG}`];
  const table = useTable("look", { experiment_ids: ids, filter: lookFilter(losses, Math.floor(now / DAY_MS) * DAY_MS - DAYS * DAY_MS), order_by: ["attributes.start_time DESC"], columns: wire, max_results: LATEST }, ids.length > 0 && columns.data !== undefined);
  const rows = useMemo(() => table.data?.rows ?? [], [table.data]);
  const running = useMemo(() => rows.filter((r) => r.run.status === "RUNNING").map((r) => r.run.run_id).sort(), [rows]);
  const last = useLastPoints(running, keys);
  const found = useMemo(() => rows.map((row) => ({ row, problems: problemsOf(row, losses, last.get(row.run.run_id) ?? null, now) })).filter((l) => l.problems.length > 0), [rows, losses, last, now]);
  return { found, waiting: ids.length > 0 && !table.data && !table.error && !columns.error };
}
