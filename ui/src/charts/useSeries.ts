import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { Series } from "../api/buckets";
import { seriesStore, type SeriesView } from "../api/series";

export interface SeriesResult {
  /** By run id. While finer buckets are on their way the old ones stay, so that nothing flashes. */
  found: Map<string, Series>;
  pending: boolean;
  error: Error | null;
  retry: () => void;
}

const version = () => seriesStore.version;

/** The buckets of one metric for some runs. Nothing is asked for while `enabled` is false. */
export function useSeries(runIds: readonly string[], key: string, view: SeriesView, enabled = true): SeriesResult {
  const ids = runIds.join(",");
  const { x, start, end, buckets, smoothing } = view;
  const stable = useMemo(() => ({ x, start, end, buckets, smoothing }), [x, start, end, buckets, smoothing]);
  useSyncExternalStore(seriesStore.subscribe, version);
  const memory = useRef<{ of: string; found: Map<string, Series> }>({ of: "", found: new Map() });

  useEffect(() => {
    if (!enabled || !ids) return;
    return seriesStore.hold(ids.split(","), key, stable);
  }, [ids, key, stable, enabled]);

  const of = `${key}|${x}`;
  const old = memory.current.of === of ? memory.current.found : new Map<string, Series>();
  const found = new Map<string, Series>();
  let [pending, error] = [false, null as Error | null];
  for (const id of runIds) {
    const entry = seriesStore.peek(id, key, stable);
    const settled = entry?.state === "ready";
    if (!settled) pending = true;
    if (entry?.state === "failed") error = entry.error;
    const series = settled ? entry.series : (entry?.series ?? old.get(id));
    if (series) found.set(id, series);
  }
  const same = found.size === old.size && [...found].every(([id, s]) => old.get(id) === s);
  const kept = same ? old : found;
  useEffect(() => {
    memory.current = { of, found: kept };
  }, [of, kept]);
  return { found: kept, pending: pending && !error, error: found.size ? null : error, retry: () => seriesStore.retry([...runIds], key, stable) };
}
