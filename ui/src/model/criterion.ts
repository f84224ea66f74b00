import { directionOfName, hasDirection, lowerIsBetter, pickMain } from "./metrics";

/** By what an experiment's runs are judged, as its tags say it for everyone; see docs/reference/best.md. */

export type Tags = Readonly<Record<string, string>>;
export type Reading = "last" | "best" | "smoothed";

export const READINGS: readonly Reading[] = ["last", "best", "smoothed"];
export const MAIN_TAG = "mlflow.experiment.primaryMetric.name";
export const BASELINE_TAG = "logbuch.baseline";
/** Both are followed by a metric. */
export const DIRECTION_TAG = "logbuch.direction.";
export const READING_TAG = "logbuch.reading.";
const GREATER_TAG = "mlflow.experiment.primaryMetric.greaterIsBetter";

/** What the tags say of a metric's direction; null where they are silent. */
function told(key: string, tags: Tags): boolean | null {
  const own = tags[DIRECTION_TAG + key]?.toLowerCase();
  if (own === "lower" || own === "higher") return own === "lower";
  const greater = key === tags[MAIN_TAG] ? tags[GREATER_TAG]?.toLowerCase() : undefined;
  return greater === "true" ? false : greater === "false" ? true : null;
}

/** True when a lower value is the better one: by the tags, else by the metric's name; null where neither tells, as the server has it. */
export const directionOf = (key: string, tags: Tags): boolean | null => told(key, tags) ?? directionOfName(key);

/** The metric that decides, of those that are logged: the one that the tags name, else by their names. */
export function mainOf(metrics: readonly { key: string; runs: number }[], tags: Tags): string | null {
  const kept = tags[MAIN_TAG];
  return kept && metrics.some((one) => one.key === kept) ? kept : pickMain(metrics);
}

/** What experiments agree on; null where none of them says it, or they differ. */
function agreed<T>(all: readonly Tags[], says: (tags: Tags) => T | null): T | null {
  const said = new Set(all.map(says).filter((one) => one !== null));
  return said.size === 1 ? [...said][0]! : null;
}

/** By what runs of one or several experiments are judged together. */
export interface Criterion {
  /** The metric that decides; null where that is not kept. */
  main: string | null;
  lower: (key: string) => boolean;
  /** True when something tells which way is better. */
  directed: (key: string) => boolean;
  /** The value of a run that counts: the last one, or its best, also where it is judged by its smoothed curve. */
  part: (key: string) => "last" | "min" | "max";
}

/** What the tags of all these experiments say, where they agree; else the metrics' names. */
export function criterionOf(all: readonly Tags[]): Criterion {
  const direction = (key: string) => agreed(all, (tags) => told(key, tags));
  const lower = (key: string) => direction(key) ?? lowerIsBetter(key);
  const plain = (key: string) => agreed(all, (tags) => readingOf(key, tags) === "last") ?? true;
  return {
    main: agreed(all, (tags) => tags[MAIN_TAG] || null),
    lower,
    part: (key) => (plain(key) ? "last" : lower(key) ? "min" : "max"),
    directed: (key) => direction(key) !== null || hasDirection(key),
  };
}

/** How a run is read by a metric. */
export function readingOf(key: string, tags: Tags): Reading {
  const kept = tags[READING_TAG + key]?.toLowerCase();
  return READINGS.find((reading) => reading === kept) ?? "last";
}

const NOISE = 0.002;

export interface Change {
  /** Relative to the absolute value of the base. */
  ratio: number;
  better: boolean;
  /** Too small to mean anything. */
  noise: boolean;
}

/** A value against that of the baseline; null where one of them is missing or no number, or the base is 0. Where nothing tells a direction, nothing is better. */
export function changeOf(value: number | null, base: number | null, lower: boolean | null): Change | null {
  if (value === null || !base || !Number.isFinite(value) || !Number.isFinite(base)) return null;
  const ratio = (value - base) / Math.abs(base);
  return { ratio, better: lower !== null && (lower ? ratio < -NOISE : ratio > NOISE), noise: Math.abs(ratio) <= NOISE };
}
