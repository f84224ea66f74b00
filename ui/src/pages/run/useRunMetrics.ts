import { useMemo } from "react";
import type { MetricCell } from "../../api/table";
import { useColumns, useRefresh, useTable } from "../../parts/queries";

export interface RunMetrics {
  /** Keys that this run has, sorted. */
  keys: string[];
  cells: Record<string, MetricCell>;
  loading: boolean;
}

/** The metrics of one run: asked for among the experiment's keys, kept where it has them. None where the ID is empty. */
export function useRunMetrics(experimentId: string, runId: string): RunMetrics {
  const columns = useColumns([experimentId]);
  const wire = useMemo(() => columns.data?.metrics.map((m) => `metrics.${m.key}`) ?? [], [columns.data]);
  const table = useTable("run-metrics", { experiment_ids: [experimentId], run_ids: [runId], columns: wire, view: "all", max_results: 1 }, wire.length > 0 && runId !== "");
  useRefresh(["columns"], 3000);
  return useMemo(() => {
    const row = runId ? table.data?.rows[0] : undefined;
    const cells = Object.fromEntries(Object.entries(row?.metrics ?? {}).filter(([, cell]) => cell.last !== null));
    return { keys: Object.keys(cells).sort(), cells, loading: columns.isPending || (table.isPending && wire.length > 0) };
  }, [columns.isPending, table.data, table.isPending, wire.length, runId]);
}
