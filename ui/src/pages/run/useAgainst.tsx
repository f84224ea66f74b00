import { partOf } from "../../model/columns";
import { BASELINE_TAG, changeOf, directionOf, readingOf, type Change } from "../../model/criterion";
import type { MetricCell } from "../../api/table";
import { formatDelta, formatNumber } from "../../model/format";
import { locale, t } from "../../i18n";
import { useExperiments, useRun } from "../../parts/queries";
import { useRunMetrics, type RunMetrics } from "./useRunMetrics";

/** By what the experiment judges metrics, and the run that it holds others against. */
export interface Against {
  lower: (key: string) => boolean;
  /** True when something tells which way is better. */
  directed: (key: string) => boolean;
  /** Name of the pinned baseline; null where there is none, or this run is it. */
  name: string | null;
  /** The change of a metric against the baseline, by the reading that the experiment keeps. */
  change: (key: string) => Measured | null;
}

export interface Measured extends Change {
  value: number;
  base: number;
  best: boolean;
}

const read = (cell: MetricCell | undefined, best: boolean, lower: boolean) => cell?.[partOf(best ? "best" : "last", lower)] ?? null;

export function useAgainst(experimentId: string, runId: string, metrics: RunMetrics): Against {
  const experiments = useExperiments("all");
  const tags = experiments.data?.find((e) => e.experiment_id === experimentId)?.tags ?? {};
  const pinned = tags[BASELINE_TAG] ?? "";
  const id = pinned === runId ? "" : pinned;
  const base = useRunMetrics(experimentId, id);
  const run = useRun(id);
  const direction = (key: string) => directionOf(key, tags);
  const lower = (key: string) => direction(key) ?? true;
  return {
    lower, directed: (key) => direction(key) !== null, name: id ? (run.data?.info.name ?? null) : null,
    change: (key) => {
      const best = readingOf(key, tags) !== "last";
      const [value, before] = [read(metrics.cells[key], best, lower(key)), read(base.cells[key], best, lower(key))];
      const change = changeOf(value, before, direction(key));
      return change && { ...change, value: value!, base: before!, best };
    },
  };
}

/** A change in per cent, with both values on demand. */
export function ChangeText({ against, name }: { against: Measured; name: string }) {
  const { ratio, better, noise, value, base, best } = against;
  return <span className={better ? "good" : noise ? "muted" : "sec"} title={t.againstTitle(formatNumber(value, locale), formatNumber(base, locale), name, best)}>{formatDelta(ratio, locale)}</span>;
}
