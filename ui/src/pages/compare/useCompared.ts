import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Importance, ImportanceQuestion } from "../../api/answers";
import { queryTable, type Columns, type Row } from "../../api/table";
import { brushFilter, comparedColumns, judgedRows, judgedValue, passes } from "../../model/compare";
import { metricId, orderBy } from "../../model/columns";
import { addCondition } from "../../model/filter";
import { criterionOf, type Criterion } from "../../model/criterion";
import { pickMain } from "../../model/metrics";
import { variedParams } from "../../model/answers";
import { useImportance } from "../../parts/importance";
import { useColumns, useExperiments, useTable } from "../../parts/queries";
import type { CompareView } from "../../url/compare";
import { MOST_RUNS, useRows } from "./useRows";
import { useRunSet, type RunSet } from "./useRunSet";

export interface Compared {
  rows: Row[];
  /** Those inside all brushes. */
  chosen: Row[];
  total: number;
  /** How many of all runs are inside all brushes; null while that is asked. */
  inside: number | null;
  /** The search that finds all of them. */
  set: RunSet;
  /** What the best ones were chosen by, where the rows are a sample: a metric, or null for the time of their start. */
  sampledBy: string | null | undefined;
  experimentIds: string[];
  params: string[];
  metrics: string[];
  target: string | null;
  lower: boolean;
  /** By what the experiments of these runs judge metrics. */
  criterion: Criterion;
  /** Which parameters explain the target; null where nothing does, undefined while that is asked. */
  importance: Importance | null | undefined;
  missing: number;
  waiting: boolean;
  error: Error | null;
}

const NONE: Row[] = [];
const NAMES = criterionOf([]);

/** What the experiments agree on; null until that is known, so that nothing turns round once it is. */
function useCriterion(experimentIds: readonly string[]): Criterion | null {
  const experiments = useExperiments("all");
  return useMemo(() => {
    if (experiments.isPending) return null;
    return criterionOf((experiments.data ?? []).filter((e) => experimentIds.includes(e.experiment_id)).map((e) => e.tags));
  }, [experiments.isPending, experiments.data, experimentIds]);
}

/** Rows of both lists, each run once. */
function united(rows: readonly Row[], more: readonly Row[]): Row[] {
  const known = new Set(rows.map((row) => row.run.run_id));
  return [...rows, ...more.filter(({ run }) => !known.has(run.run_id))];
}

/** The set inside the brushes, which the server finds where the rows here are a sample; null where they are all here. */
function useBrushed(set: RunSet, sampled: boolean, brush: CompareView["brush"], criterion: Criterion | null): RunSet | null {
  return useMemo(() => {
    if (!sampled || !brush.length || criterion === null) return null;
    const filter = addCondition(set.query.filter ?? "", brushFilter(brush, criterion.part));
    return { ...set, query: { ...set.query, filter }, key: [set.key, filter] };
  }, [set, sampled, brush, criterion]);
}

/** The runs of the view with what they are compared by. */
export function useCompared(view: CompareView): Compared {
  const set = useRunSet(view);
  const { named } = set;
  const asked = named || view.experiments.length > 0;
  const heads = useTable("compare-heads", { ...set.query, columns: [], max_results: named ? MOST_RUNS : 1 }, asked && set.ready, set.key);
  const found = asked ? (heads.data?.rows ?? NONE) : NONE;
  const total = asked ? (heads.data?.total ?? 0) : 0;
  const experimentIds = useMemo(() => (named ? [...new Set(found.map((r) => r.run.experiment_id))].sort() : view.experiments), [named, found, view.experiments]);
  const columns = useColumns(experimentIds);
  const wire = useMemo(() => (columns.data ? [...comparedColumns(columns.data, total), "tags.mlflow.source.git.commit"] : []), [columns.data, total]);
  const criterion = useCriterion(experimentIds);
  const parts = useMemo(() => (criterion !== null && wire.some((c) => c.startsWith("metrics.") && criterion.part(c.slice(8)) !== "last") ? ["last", "min", "max"] : ["last"]), [criterion, wire]);
  const sorting = useMemo(() => sortingOf(view.target, criterion, columns.data), [view.target, criterion, columns.data]);
  const table = useRows(set, total, wire, parts, sorting.order, asked && set.ready && wire.length > 0 && total > 0 && criterion !== null);
  const brushed = useBrushed(set, table.sampled, view.brush, criterion);
  const counted = useQuery({ queryKey: ["table", "compare-inside", brushed?.key], queryFn: ({ signal }) => queryTable({ ...brushed!.query, columns: [], max_results: 1 }, signal), enabled: brushed !== null && set.ready });
  const within = useRows(brushed ?? set, counted.data?.total ?? 0, wire, parts, sorting.order, brushed !== null && (counted.data?.total ?? 0) > 0);
  const all = useMemo(() => (brushed === null ? table.rows : united(table.rows, within.rows)), [brushed, table.rows, within.rows]);
  const kept = useMemo(() => wire.filter((c) => c.startsWith("metrics.")).map((c) => c.slice(8)), [wire]);
  const loaded = useMemo(() => (asked && criterion !== null ? judgedRows(all, kept, criterion) : NONE), [asked, criterion, all, kept]);
  const rows = useMemo(() => {
    if (!named) return loaded;
    const byId = new Map(loaded.map((row) => [row.run.run_id, row]));
    return view.runs.flatMap((id) => byId.get(id) ?? []);
  }, [named, loaded, view.runs]);

  const metrics = useMemo(() => kept.filter((key) => rows.some((r) => r.metrics[key]?.last != null)), [kept, rows]);
  const target = useMemo(() => {
    const chosen = [view.target, criterion?.main].find((key) => key && metrics.includes(key));
    return chosen ?? pickMain(metrics.map((key) => ({ key, runs: rows.filter((r) => r.metrics[key]?.last != null).length })));
  }, [view.target, criterion, metrics, rows]);
  const params = useMemo(() => {
    const known = wire.filter((c) => c.startsWith("params."));
    const order = columns.data ? variedParams(columns.data.params, columns.data.runs).map((key) => `params.${key}`) : [];
    const varied = known.filter((c) => rows.some((r) => (r.texts[c] ?? null) !== (rows[0]!.texts[c] ?? null)));
    return varied.sort((a, b) => order.indexOf(a) - order.indexOf(b)).map((c) => c.slice(7));
  }, [wire, rows, columns.data]);
  const lower = target === null || (criterion ?? NAMES).lower(target);
  // Runs that were named stand as they were named, those of a search from the best on.
  const ordered = useMemo(() => (named || target === null ? rows : [...rows].sort((a, b) => {
    const [x, y] = [a, b].map((row) => judgedValue(row.metrics[target]) ?? NaN) as [number, number];
    return Number.isNaN(x) || Number.isNaN(y) ? Number(Number.isNaN(x)) - Number(Number.isNaN(y)) : lower ? x - y : y - x;
  })), [rows, named, target, lower]);
  const chosen = useMemo(() => (view.brush.length ? ordered.filter((row) => passes(row, view.brush)) : ordered), [ordered, view.brush]);
  const { question, key } = useQuestion(view, set, brushed, experimentIds, chosen, target, lower);
  const importance = useImportance(question, key);
  const error = set.error ?? heads.error ?? table.error ?? counted.error ?? within.error;
  return {
    rows: ordered, chosen, total, inside: brushed !== null ? (counted.data?.total ?? null) : view.brush.length ? chosen.length : total, set, sampledBy: table.sampled ? sorting.metric : undefined, experimentIds, params, metrics, target, lower, criterion: criterion ?? NAMES, importance: target === null ? null : importance,
    missing: named && heads.data ? view.runs.length - found.length : 0,
    waiting: asked && !(heads.data && (total === 0 || (table.answered && criterion !== null))) && !error, error,
  };
}

/** By what the best of very many runs are chosen, before any of them is here. */
function sortingOf(target: string, criterion: Criterion | null, columns: Columns | undefined): { metric: string | null; order: string[] } {
  const known = columns?.metrics ?? [];
  const metric = [target, criterion?.main].find((key) => key && known.some((one) => one.key === key)) ?? pickMain(known);
  if (metric === null) return { metric, order: ["attributes.start_time DESC"] };
  const lower = (criterion ?? NAMES).lower;
  return { metric, order: orderBy([{ key: metricId(metric, (criterion ?? NAMES).part(metric)), desc: !lower(metric) }], lower) };
}

/** What is asked of the server: of a whole search the search itself, whose answer it remembers, else the runs by name. */
function useQuestion(view: CompareView, set: RunSet, brushed: RunSet | null, experimentIds: readonly string[], chosen: readonly Row[], target: string | null, lower: boolean): { question: ImportanceQuestion | null; key: unknown } {
  const unbrushed = !set.named && !view.brush.length;
  const whole = (unbrushed || brushed !== null) && !view.deleted && view.some === null;
  const part = unbrushed && view.some !== null;
  const ids = useMemo(() => (whole ? null : part ? (set.query.run_ids ?? []) : chosen.map((row) => row.run.run_id).sort()), [whole, part, set.query, chosen]);
  const question = useMemo(() => {
    const [experiment_id, ...more_experiments] = experimentIds;
    if (target === null || experiment_id === undefined || (ids !== null && !ids.length)) return null;
    const asked = { experiment_id, more_experiments, metric: target, lower };
    return ids === null ? { ...asked, filter: (brushed ?? set).query.filter ?? "" } : { ...asked, filter: "", run_ids: ids };
  }, [experimentIds, target, lower, ids, brushed, set]);
  return { question, key: part ? [set.key, target, lower] : question };
}
