import type { Row } from "../api/table";
import { quoteKey } from "./filter";
import { isRunning } from "./status";

/** What a run should be looked at for, from its state, tags, losses and silence. */
export type Problem =
  | { kind: "failed"; reason: string | null }
  | { kind: "broken"; key: string; word: "NaN" | "Inf" }
  | { kind: "silent"; since: number }
  | { kind: "gone" }
  | { kind: "lost"; count: number };

export const ERROR_TAG = "logbuch.error";
export const LOST_TAG = "logbuch.records_lost";
export const SILENT_MS = 5 * 60_000;

/** Classes that say no more than that something failed; what they say stands behind the colon. */
const BLAND = /^(?:[\w.]*\.)?(?:RuntimeError|Exception|OutOfMemoryError): (?=\S)/;

/** The reason in a traceback: its last line that is not empty. */
export function errorReason(traceback: string | null | undefined): string | null {
  const lines = (traceback ?? "").split("\n").map((line) => line.trim()).filter(Boolean);
  return lines[lines.length - 1]?.replace(BLAND, "") ?? null;
}

/** The number of lost records in a tag's text; null when there is none. */
export function lostRecords(text: string | null | undefined): number | null {
  const count = Number(text ?? "");
  return Number.isFinite(count) && count > 0 ? count : null;
}

/** Since when a running run has said nothing, in Unix milliseconds; null when it spoke in the last five minutes. */
export function silentSince(row: Row, lastPoint: number | null, now: number): number | null {
  if (!isRunning(row.run) || !row.run.start_time) return null;
  const since = Math.max(row.run.start_time, lastPoint ?? 0);
  return now - since >= SILENT_MS ? since : null;
}

/** The search for runs that may need a look: what runs, and what failed, broke or lost records since a moment. */
export function lookFilter(losses: readonly string[], since: number): string {
  const broken = losses.flatMap((key) => ["NaN", "Infinity", "-Infinity"].map((word) => `metrics.${quoteKey(key)} = ${word}`));
  const bad = ["attributes.status IN ('FAILED', 'KILLED')", `tags.${quoteKey(LOST_TAG)} IS NOT NULL`, ...broken].join(" OR ");
  return `attributes.status IN ('RUNNING', 'LOST') OR (attributes.start_time >= ${since} AND (${bad}))`;
}

/** Everything that is wrong with a run, the gravest first. What somebody stopped is not wrong. `losses` are the metrics that may not end in NaN or Inf. */
export function problemsOf(row: Row, losses: readonly string[], lastPoint: number | null, now: number): Problem[] {
  const { status } = row.run;
  const found: Problem[] = [];
  if (status === "FAILED") found.push({ kind: "failed", reason: errorReason(row.texts[`tags.${ERROR_TAG}`]) });
  const key = losses.find((k) => row.metrics[k]?.last != null && !Number.isFinite(row.metrics[k].last));
  if (key !== undefined) found.push({ kind: "broken", key, word: Number.isNaN(row.metrics[key]!.last) ? "NaN" : "Inf" });
  if (status === "LOST" || (status === "KILLED" && row.run.lost_time != null)) found.push({ kind: "gone" });
  const since = silentSince(row, lastPoint, now);
  if (since !== null) found.push({ kind: "silent", since });
  const count = lostRecords(row.texts[`tags.${LOST_TAG}`]);
  if (count !== null) found.push({ kind: "lost", count });
  return found;
}
