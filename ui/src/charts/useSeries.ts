import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { Series } from "../api/buckets";
import { seriesStore, type SeriesView } from "../api/series";

/** Some runs' buckets of one metric. */
export interface Want {
  runIds: readonly string[];
  key: string;
  view: SeriesView;
}

export interface SeriesResult {
  /** By run id. While finer buckets are on their way the old ones stay, so that nothing flashes. */
  found: Map<string, Series>;
  pending: boolean;
  error: Error | null;
  retry: () => void;
}

const version = () => seriesStore.version;
const NONE = new Map<string, Series>();

/** The buckets of several metrics, one result for each wish and in their order. */
export function useSeriesSet(wants: readonly Want[]): SeriesResult[] {
  const text = JSON.stringify(wants);
  const stable = useMemo(() => JSON.parse(text) as Want[], [text]);
  useSyncExternalStore(seriesStore.subscribe, version);
  const memory = useRef(new Map<string, Map<string, Series>>());

  useEffect(() => {
    const release = stable.map(({ runIds, key, view }) => seriesStore.hold([...runIds], key, view));
    return () => release.forEach((letGo) => letGo());
  }, [stable]);

  const results = stable.map((want, i) => resultOf(want, memory.current.get(memoryKey(want, i)) ?? NONE));
  useEffect(() => {
    memory.current = new Map(stable.map((want, i) => [memoryKey(want, i), results[i]!.found]));
  });
  return results;
}

const memoryKey = ({ key, view }: Want, place: number) => `${place}|${view.x}|${key}`;

function resultOf({ runIds, key, view }: Want, old: Map<string, Series>): SeriesResult {
  const found = new Map<string, Series>();
  let [pending, error] = [false, null as Error | null];
  for (const id of runIds) {
    const entry = seriesStore.peek(id, key, view);
    const settled = entry?.state === "ready";
    if (!settled) pending = true;
    if (entry?.state === "failed") error = entry.error;
    const series = settled ? entry.series : (entry?.series ?? old.get(id));
    if (series) found.set(id, series);
  }
  const same = found.size === old.size && [...found].every(([id, s]) => old.get(id) === s);
  return { found: same ? old : found, pending: pending && !error, error: found.size ? null : error, retry: () => seriesStore.retry([...runIds], key, view) };
}

/** The buckets of one metric for some runs. Nothing is asked for while `enabled` is false. */
export function useSeries(runIds: readonly string[], key: string, view: SeriesView, enabled = true): SeriesResult {
  return useSeriesSet([{ runIds: enabled ? runIds : [], key, view }])[0]!;
}
