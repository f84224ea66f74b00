/** What the server thinks of the stability of runs, as the page shows it. */

import type { Finding, Kind, Word } from "../api/stability";
import { toFilter } from "./filter";

/** Findings by weight: the first of these is the one that is told where there is room for one. */
const WEIGHT: readonly Kind[] = ["not_finite", "diverged", "spike", "gradient", "learning_rate", "gap", "plateau", "lost", "throughput", "idle_gpu"];

/** The finding that weighs most; of equals the one that happened first. */
export function worst(findings: readonly Finding[]): Finding | null {
  return findings.reduce<Finding | null>((best, one) => (best === null || WEIGHT.indexOf(one.kind) < WEIGHT.indexOf(best.kind) ? one : best), null);
}

const BAD: readonly Word[] = ["diverged", "unstable"];

const WORD = "tags.`logbuch.stability`";

/** The runs of a search that the server found unstable, as a search of its own. */
export function unstableFilter(text: string): string {
  return within(text, `${WORD} IN (${BAD.map((word) => `'${word}'`).join(", ")})`);
}

/** The runs of a search that the server has judged: not those that have just begun or just come here. */
export function judgedFilter(text: string): string {
  return within(text, `${WORD} IS NOT NULL`);
}

function within(text: string, condition: string): string {
  const filter = toFilter(text);
  return filter ? `(${filter}) AND ${condition}` : condition;
}
