import { quoteKey, toFilter } from "./filter";
import { judge, type LossBuckets } from "./stability";

/** How many runs of a search were not stable: judged like a single run where there are few, by their last value where there are many. */
export const MOST_JUDGED = 100;

export interface Unstable {
  diverged: string[];
  spiked: string[];
}

export interface Losses {
  id: string;
  loss: LossBuckets | null;
  evaluation: LossBuckets | null;
}

export function unstableRuns(runs: readonly Losses[]): Unstable {
  const found: Unstable = { diverged: [], spiked: [] };
  for (const { id, loss, evaluation } of runs) {
    const { verdict } = judge(loss, evaluation);
    if (verdict === "diverged" || verdict === "spiked") found[verdict].push(id);
  }
  return found;
}

/** The runs of a search whose loss ended in NaN or an infinity, as a search of its own. */
export function brokenFilter(text: string, loss: string): string {
  const filter = toFilter(text);
  const ends = ["NaN", "Infinity", "-Infinity"].map((word) => `metrics.${quoteKey(loss)} = ${word}`).join(" OR ");
  return filter ? `(${filter}) AND (${ends})` : ends;
}

export const runsFilter = (ids: readonly string[]) => `attributes.run_id IN (${ids.map((id) => `'${id}'`).join(", ")})`;
