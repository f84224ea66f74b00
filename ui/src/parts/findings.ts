import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { getVerdicts, type Verdict } from "../api/stability";
import type { Mark } from "../charts/marks";
import { useRefresh } from "./queries";
import { findingText, useVerdict } from "./Stability";

const NONE: readonly Mark[] = [];

/** Findings as marks for the charts of their metrics; an idle GPU is told by the clock and not by steps, and lost records may have no place. */
const marksOf = ({ run_id: runId, findings }: Verdict): Mark[] =>
  findings.filter(({ kind, metric }) => kind !== "idle_gpu" && metric !== "").map((one) => ({ runId, key: one.metric, start: one.start, end: one.end, text: findingText(one) }));

/** What the server finds in the curves of one run, as it stands now. */
export function useFindings(runId: string): readonly Mark[] {
  const verdict = useVerdict(runId);
  return useMemo(() => (verdict ? marksOf(verdict) : NONE), [verdict]);
}

/** What the server found in the curves of several runs when it last examined them. */
export function useFindingsOf(runIds: readonly string[]): readonly Mark[] {
  useRefresh(["verdicts"], 4000);
  const found = useQuery({ queryKey: ["verdicts", runIds], queryFn: ({ signal }) => getVerdicts(runIds, signal), enabled: runIds.length > 0, placeholderData: keepPreviousData });
  return useMemo(() => found.data?.flatMap(marksOf) ?? NONE, [found.data]);
}
