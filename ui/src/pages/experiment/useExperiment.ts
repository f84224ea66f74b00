import { useEffect, useMemo, useRef, useState } from "react";
import type { Columns, Row } from "../../api/table";
import { TableStore } from "../../api/tableStore";
import { apart, bestRow } from "../../model/answers";
import { defaultColumns, differs, fitValues, orderBy, toColumns, wireColumn, withDelta, type Column } from "../../model/columns";
import { toFilter } from "../../model/filter";
import { lowerIsBetter, pickMain, pickTrainLoss } from "../../model/metrics";
import { PARENT_COLUMN } from "../../model/nest";
import { assignSlots } from "../../model/slots";
import { isRunning } from "../../model/status";
import { useOnChanges } from "../../parts/live";
import { useLatest, useStore } from "../../ui/hooks";
import type { ExperimentView, SortKey } from "../../url/experiment";

export const MAIN_TAG = "mlflow.experiment.primaryMetric.name";
export const DIRECTION_TAG = "mlflow.experiment.primaryMetric.greaterIsBetter";

export interface MainMetric {
  key: string | null;
  trainLoss: string | null;
  lower: (key: string) => boolean;
}

/** The metric that decides, from the experiment's tags or the metrics' names. */
export function useMain(columns: Columns | undefined, tags: Record<string, string> | undefined): MainMetric {
  return useMemo(() => {
    const chosen = tags?.[MAIN_TAG];
    const metrics = columns?.metrics ?? [];
    const key = chosen && metrics.some((m) => m.key === chosen) ? chosen : pickMain(metrics);
    const direction = tags?.[DIRECTION_TAG];
    const lower = (name: string) => (name === chosen && direction ? !/^true$/i.test(direction) : lowerIsBetter(name));
    return { key, trainLoss: pickTrainLoss(metrics), lower };
  }, [columns, tags]);
}

/** The sorting of the URL, else by the main metric, best first. */
export function useSort(view: ExperimentView, main: MainMetric): SortKey[] {
  return useMemo(() => {
    if (view.sort.length) return view.sort;
    return main.key === null ? [{ key: "attributes.start_time", desc: true }] : [{ key: `metrics.${main.key}`, desc: !main.lower(main.key) }];
  }, [view.sort, main]);
}

/** The columns of the URL or the default ones, with the change against the baseline when there is one. */
export function useTableColumns(view: ExperimentView, columns: Columns | undefined, main: MainMetric): Column[] {
  return useMemo(() => {
    const ids = view.cols ?? (columns ? defaultColumns(columns, main.key, main.trainLoss) : []);
    return toColumns(view.base ? withDelta(ids, main.key) : ids).map((column) => fitValues(column, columns));
  }, [view.cols, view.base, columns, main]);
}

export function visibleColumns(all: Column[], rows: Row[], only: boolean): Column[] {
  return only ? all.filter((column) => differs(column, rows)) : all;
}

/** Rows of the table: loaded as the view asks, kept fresh by the live stream, still while `hold` is true. */
export function useRows(experimentId: string, view: ExperimentView, sort: SortKey[], columns: Column[], ready: boolean, hold: boolean) {
  const [store] = useState(() => new TableStore());
  const state = useStore(store.state);
  const wire = useMemo(() => [...new Set([...columns.map(wireColumn).filter((c): c is string => c !== null), PARENT_COLUMN])].sort(), [columns]);
  const order = useMemo(() => orderBy(sort), [sort]);
  const filter = toFilter(view.q);
  const asked = JSON.stringify([filter, order, wire, view.deleted]);
  const latest = useLatest({ filter, order, wire });
  useEffect(() => {
    if (!ready) return;
    const now = latest.current;
    void store.load({ experiment_ids: [experimentId], filter: now.filter, order_by: now.order, columns: now.wire, view: view.deleted ? "deleted" : "active" });
  }, [store, experimentId, asked, ready, view.deleted, latest]);
  useOnChanges((runs) => {
    const ours = runs.filter((r) => r.experiment_id === experimentId).map((r) => r.run_id);
    return ours.length ? store.refresh(ours, hold) : Promise.resolve();
  });
  useEffect(() => {
    if (!hold) store.release();
  }, [hold, store]);
  return { store, state };
}

const DRAWN = 8;
const RUNNING = 8;

/** Colour slots: those of the URL, else the best finished runs, the baseline and the running ones, with stable colours. */
export function useSlots(view: ExperimentView, rows: Row[], main: MainMetric): string[] {
  const before = useRef<string[]>([]);
  const auto = useMemo(() => {
    const running = rows.filter((r) => isRunning(r.run)).slice(0, RUNNING).map((r) => r.run.run_id);
    const rest = rows.filter((r) => !isRunning(r.run) && (main.key === null || r.metrics[main.key]?.last != null)).slice(0, DRAWN).map((r) => r.run.run_id);
    const base = rows.some((r) => r.run.run_id === view.base) ? [view.base] : [];
    return assignSlots(before.current, [...new Set([...rest, ...base, ...running])]);
  }, [rows, main, view.base]);
  useEffect(() => {
    before.current = view.draw ?? auto;
  }, [view.draw, auto]);
  return view.draw ?? auto;
}

/** The best run among rows and what sets it apart, or null before anything can be said. */
export function answer(rows: Row[], main: MainMetric, keys: string[], baseline: Row | null) {
  const best = main.key === null ? null : bestRow(rows, main.key, main.lower(main.key));
  return best ? { best, differences: apart(best, rows, keys, baseline) } : null;
}
