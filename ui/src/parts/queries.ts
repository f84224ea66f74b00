import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { listExperiments, type View } from "../api/experiments";
import { getRun } from "../api/runs";
import { getColumns, queryTable, type TableQuery } from "../api/table";
import { useOnChanges } from "./live";
import { refetch } from "./refetch";

export function useExperiments(view: View) {
  return useQuery({ queryKey: ["experiments", view], queryFn: ({ signal }) => listExperiments(view, signal) });
}

export function useColumns(experimentIds: string[]) {
  return useQuery({ queryKey: ["columns", ...experimentIds], queryFn: ({ signal }) => getColumns(experimentIds, signal), enabled: experimentIds.length > 0, placeholderData: keepPreviousData,
    // An estimate is asked for again until the counts are there.
    refetchInterval: (query) => (query.state.data?.partial ? 2000 : false) });
}

export function useRun(runId: string) {
  return useQuery({ queryKey: ["run", runId], queryFn: ({ signal }) => getRun(runId, signal), enabled: runId !== "" });
}

/** A search for a part of the page. After a failure the last good answer stays. `key` stands for a query that is too long to be compared. */
export function useTable(name: string, query: TableQuery, enabled = true, key: unknown = query) {
  const found = useQuery({ queryKey: ["table", name, key], queryFn: ({ signal }) => queryTable(query, signal), enabled, placeholderData: keepPreviousData });
  const [good, setGood] = useState(found.data);
  if (found.data && found.data !== good) setGood(found.data);
  return { data: found.data ?? good, isPending: found.isPending, error: found.error };
}

/** Refetches queries by the first word of their key when runs change. */
export function useRefresh(names: string[], rest = 1500): void {
  const client = useQueryClient();
  useOnChanges(() => refetch(client, names), rest);
}
