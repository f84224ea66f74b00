import { get, NATIVE, post } from "./http";

export type Kind = "not_finite" | "diverged" | "spike" | "gradient" | "learning_rate" | "gap" | "plateau" | "throughput" | "idle_gpu" | "lost";
export type Word = "diverged" | "unstable" | "overfitting" | "stalled" | "stable" | "short" | "unknown";

/**
 * `start` and `end` are steps, for an idle GPU Unix milliseconds; `end` is null for what lasted to the end of the run. Of
 * lost records `metric` is empty where no hole is seen.
 */
export interface Finding {
  kind: Kind;
  metric: string;
  start: number;
  end: number | null;
  value: number | null;
  usual: number | null;
  count: number;
}

export interface Verdict {
  run_id: string;
  word: Word;
  findings: Finding[];
  /** Finite points of the loss. */
  points: number;
}

export const getVerdict = (runId: string, signal?: AbortSignal) => get<Verdict>(`${NATIVE}/runs/stability`, { run_id: runId }, signal);

/** What was found in runs when they were last examined; runs that never were are left out. */
export const getVerdicts = async (runIds: readonly string[], signal?: AbortSignal) => (await post<{ verdicts: Verdict[] }>(`${NATIVE}/runs/verdicts`, { run_ids: runIds }, signal)).verdicts;
