import { useEffect, useMemo } from "react";
import { readLines } from "../../api/logs";
import { LogStore, type LogState } from "../../api/logStore";
import { useOnChanges } from "../../parts/live";
import { useStore } from "../../ui/hooks";

/** The log of a run: its end at once, the rest where it is looked at, and what comes while the page is open. */
export function useLog(runId: string): { store: LogStore; log: LogState } {
  const store = useMemo(() => new LogStore((where, limit) => readLines(runId, where, limit)), [runId]);
  useEffect(() => void store.refresh(), [store]);
  useOnChanges(async (runs) => {
    if (runs.some((run) => run.run_id === runId)) await store.refresh();
  }, 500);
  return { store, log: useStore(store.state) };
}
