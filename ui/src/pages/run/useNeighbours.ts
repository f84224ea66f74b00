import { useMemo } from "react";
import { orderBy } from "../../model/columns";
import { toFilter } from "../../model/filter";
import { lowerIsBetter } from "../../model/metrics";
import { useTable } from "../../parts/queries";
import { parseExperiment, type SortKey } from "../../url/experiment";

export interface Neighbours {
  at: number;
  total: number;
  previous: string | undefined;
  next: string | undefined;
  /** What the list is sorted by; null for the start time. */
  by: string | null;
  filter: string;
}

const MOST = 1000;
const BY_START: SortKey[] = [{ key: "attributes.start_time", desc: true }];

/** The place of a run in the list it was opened from, else among all by start time; null when it is not in there. */
export function useNeighbours(experimentId: string, runId: string, from: string): Neighbours | null {
  const list = useMemo(() => parseExperiment(from), [from]);
  const sort = list.sort.length ? list.sort : BY_START;
  const table = useTable("siblings", { experiment_ids: [experimentId], filter: toFilter(list.q), order_by: orderBy(sort, lowerIsBetter), view: list.deleted ? "deleted" : "active", max_results: MOST });
  return useMemo(() => {
    const ids = table.data?.rows.map((r) => r.run.run_id) ?? [];
    const at = ids.indexOf(runId);
    const key = sort[0]!.key;
    const by = key.startsWith("attributes.") ? null : key.slice(key.indexOf(".") + 1);
    return at < 0 ? null : { at, total: table.data!.total, previous: ids[at - 1], next: ids[at + 1], by, filter: list.q };
  }, [table.data, runId, sort, list.q]);
}
