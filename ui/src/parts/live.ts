import { useEffect } from "react";
import { live } from "../api/live";
import type { RunInfo } from "../api/runs";
import { Pacer } from "../model/pacer";
import { useLatest } from "../ui/hooks";

/** Calls `job` with the runs that changed since its last call, one call at a time and with a rest between. */
export function useOnChanges(job: (runs: RunInfo[]) => Promise<unknown>, rest = 1000): void {
  const latest = useLatest(job);
  useEffect(() => {
    const changed = new Map<string, RunInfo>();
    const pacer = new Pacer(async () => {
      const runs = [...changed.values()];
      changed.clear();
      await latest.current(runs);
    }, rest);
    const off = live.onChanges((runs) => {
      for (const run of runs) changed.set(run.run_id, run);
      pacer.poke();
    });
    return () => {
      off();
      pacer.stop();
    };
  }, [latest, rest]);
}
