import { useMemo } from "react";
import type { Mark } from "../../charts/marks";
import { findingText, useVerdict } from "../../parts/Stability";

/** What the server found in a run's curves, as marks for their charts; an idle GPU is told by the clock and not by steps. */
export function useFindingMarks(runId: string): readonly Mark[] | undefined {
  const verdict = useVerdict(runId);
  return useMemo(() => verdict?.findings.filter(({ kind }) => kind !== "idle_gpu").map((one) => ({ key: one.metric, start: one.start, end: one.end, text: findingText(one) })), [verdict]);
}
