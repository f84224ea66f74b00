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

/** The runs of a search that the server found unstable, as a search of its own. */
export function unstableFilter(text: string): string {
  const filter = toFilter(text);
  const bad = `tags.\`logbuch.stability\` IN (${BAD.map((word) => `'${word}'`).join(", ")})`;
  return filter ? `(${filter}) AND ${bad}` : bad;
}
