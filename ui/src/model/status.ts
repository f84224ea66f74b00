import type { RunInfo, RunStatus } from "../api/runs";

/** The glyph and the colour family of a run's status. */
export function statusLook(status: RunStatus): { glyph: "FINISHED" | "RUNNING" | "LOST" | "FAILED" | "KILLED" | "SCHEDULED"; tone: "ok" | "run" | "bad" | "warn" | "" } {
  const tone = { FINISHED: "ok", RUNNING: "run", LOST: "warn", FAILED: "bad", KILLED: "", SCHEDULED: "" } as const;
  return { glyph: status in tone ? status : "SCHEDULED", tone: tone[status] ?? "" };
}

export const isRunning = (run: Pick<RunInfo, "status">) => run.status === "RUNNING";

/** How long a run took or has been going, in milliseconds; null when it has not begun. */
export function durationOf(run: Pick<RunInfo, "start_time" | "end_time" | "status">, now: number): number | null {
  if (!run.start_time) return null;
  const end = run.end_time ?? (isRunning(run) ? now : null);
  return end === null ? null : Math.max(0, end - run.start_time);
}
