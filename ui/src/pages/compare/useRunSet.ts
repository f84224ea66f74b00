import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { allIds, type TableQuery } from "../../api/table";
import { toFilter } from "../../model/filter";
import type { CompareView } from "../../url/compare";
import { unpackIds } from "../../url/idset";

/** Which runs are compared, as a search of the server. */
export interface RunSet {
  query: TableQuery;
  /** Stands for the query, which may name tens of thousands of runs. */
  key: unknown;
  /** True where the address names runs one by one. */
  named: boolean;
  ready: boolean;
  error: Error | null;
}

let last = { text: "", number: 0 };
/** A number in place of a long text, which would be written out whenever a query is looked up. */
function numberOf(text: string): number {
  if (text !== last.text) last = { text, number: last.number + 1 };
  return last.number;
}

/** The runs of the view: named ones, a search, or a part of a search. */
export function useRunSet(view: CompareView): RunSet {
  const named = view.runs.length > 0;
  const search = useMemo<TableQuery>(() => (named
    ? { experiment_ids: [], filter: "", run_ids: view.runs, view: "all" }
    : { experiment_ids: view.experiments, filter: toFilter(view.q), view: view.deleted ? "deleted" : "active" }), [named, view.runs, view.experiments, view.q, view.deleted]);
  const part = named ? null : view.some;
  const but = part !== null && "but" in part;
  const packed = part === null ? "" : "but" in part ? part.but : part.only;
  const number = useMemo(() => (packed ? numberOf(packed) : 0), [packed]);
  const listed = useMemo(() => (packed ? unpackIds(packed) : null), [packed]);
  const all = useQuery({ queryKey: ["all-ids", search], queryFn: () => allIds({ ...search, columns: [] }), enabled: but });
  const ids = useMemo(() => {
    if (listed === null || !but) return listed;
    const out = new Set(listed);
    return all.data?.filter((id) => !out.has(id)) ?? null;
  }, [listed, but, all.data]);
  const query = useMemo(() => (ids === null ? search : { ...search, run_ids: ids }), [search, ids]);
  return { query, key: [search, number, but, but ? all.dataUpdatedAt : 0], named, ready: part === null || ids !== null, error: all.error };
}
