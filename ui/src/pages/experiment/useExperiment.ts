import { useEffect, useMemo, useRef, useState } from "react";
import { live } from "../../api/live";
import type { Columns, Row, TableQuery } from "../../api/table";
import { PAGE, TableStore } from "../../api/tableStore";
import { defaultColumns, differs, fitValues, metricId, orderBy, toColumns, wireColumn, withDelta, withPinned, withWidths, type Aggregate, type Column } from "../../model/columns";
import { directionOf, mainOf, readingOf, type Reading, type Tags } from "../../model/criterion";
import { toFilter } from "../../model/filter";
import { pickTrainLoss } from "../../model/metrics";
import { PARENT_COLUMN } from "../../model/nest";
import { assignSlots } from "../../model/slots";
import { isRunning } from "../../model/status";
import { useOnChanges } from "../../parts/live";
import { useTable } from "../../parts/queries";
import { useLatest, useStore } from "../../ui/hooks";
import type { ExperimentView, SortKey } from "../../url/experiment";

export interface MainMetric {
  key: string | null;
  trainLoss: string | null;
  /** Whether lower is better; null where nothing tells, and somebody has to be asked. */
  direction: (key: string) => boolean | null;
  /** The same where one has to be taken: lower. */
  lower: (key: string) => boolean;
  /** How runs are read by a metric, as the experiment keeps it. */
  reading: (key: string) => Reading;
  /** The value of a metric that the table has for that: of a smoothed curve, the best one of the plain curve. */
  judged: (key: string) => Aggregate;
}

const NO_TAGS: Tags = {};

/** The metric that decides, from the experiment's tags or the metrics' names; an address may turn a metric's direction. */
export function useMain(columns: Columns | undefined, tags: Tags = NO_TAGS, view: Pick<ExperimentView, "up" | "down">): MainMetric {
  const turned = `${view.up.join("~")}|${view.down.join("~")}`;
  return useMemo(() => {
    const [up = [], down = []] = turned.split("|").map((list) => list.split("~"));
    const metrics = columns?.metrics ?? [];
    const key = mainOf(metrics, tags);
    const direction = (name: string) => (down.includes(name) ? true : up.includes(name) ? false : directionOf(name, tags));
    const lower = (name: string) => direction(name) ?? true;
    const reading = (name: string) => readingOf(name, tags);
    const judged = (name: string): Aggregate => (reading(name) === "last" ? "last" : "best");
    return { key, trainLoss: pickTrainLoss(metrics), direction, lower, reading, judged };
  }, [columns, tags, turned]);
}

/** The sorting of the URL, else by the main metric, best first; where nothing tells what is best, the newest first. */
export function useSort(view: ExperimentView, main: MainMetric): SortKey[] {
  return useMemo(() => {
    if (view.sort.length) return view.sort;
    return main.key === null || main.direction(main.key) === null ? [{ key: "attributes.start_time", desc: true }] : [{ key: metricId(main.key, main.judged(main.key)), desc: !main.lower(main.key) }];
  }, [view.sort, main]);
}

/** Room for a mean and its deviation, and for the number of values. */
const GROUPED_WIDTH: Partial<Record<Column["kind"], number>> = { metric: 122, param: 82, tag: 90, user: 90 };

/** The columns of the URL or the default ones: pinned ones first, each with its change against the baseline when there is one. */
export function useTableColumns(view: ExperimentView, columns: Columns | undefined, main: MainMetric): Column[] {
  const initial = useInitialColumns(columns, main);
  const grouped = view.group.length > 0;
  return useMemo(() => {
    const fitted = toColumns(view.cols ?? initial).map((column) => fitValues(column, columns));
    const arranged = withPinned(fitted, view.pin);
    const roomy = grouped ? arranged.map((c) => ({ ...c, width: Math.max(c.width, GROUPED_WIDTH[c.kind] ?? 0) })) : arranged;
    return withWidths(view.base ? withDelta(roomy, main.judged) : roomy, view.widths);
  }, [view.cols, view.base, view.pin, view.widths, grouped, columns, initial, main]);
}

/** What is shown before anybody chose. Columns that a sample has named stay where they are when the counts arrive. */
function useInitialColumns(columns: Columns | undefined, main: MainMetric): string[] {
  const [kept, setKept] = useState<string[] | null>(null);
  const reading = main.key === null ? "last" : main.judged(main.key);
  const fresh = useMemo(() => (columns ? defaultColumns(columns, main.key, main.trainLoss, reading) : []), [columns, main.key, main.trainLoss, reading]);
  if (columns?.partial && kept === null) setKept(fresh);
  return kept ?? fresh;
}

export function visibleColumns(all: Column[], rows: Row[], only: boolean): Column[] {
  return only ? all.filter((column) => column.pinned || differs(column, rows)) : all;
}

/** Up to so many columns are fetched with their rows; of more, only those that come into view. */
export const FEW_COLUMNS = 40;
const ALWAYS = 12;

const wiresOf = (columns: readonly Column[]) => [...new Set(columns.map(wireColumn).filter((c): c is string => c !== null))];

/** What is fetched with every row. */
function coreWires(columns: Column[], main: MainMetric): string[] {
  const core = columns.length <= FEW_COLUMNS ? columns : columns.filter((column, i) => i < ALWAYS || column.pinned);
  return [...new Set([...wiresOf(core), ...(main.key === null ? [] : [`metrics.${main.key}`]), PARENT_COLUMN])].sort();
}

/** With the quarter second of the stream and the way there and back a point is on the screen within a second. */
const REFRESH_REST_MS = 300;

/** Rows of the table: loaded as the view asks, kept fresh by the live stream, still while `hold` is true. */
export function useRows(experimentId: string, view: ExperimentView, sort: SortKey[], columns: Column[], main: MainMetric, ready: boolean, hold: boolean) {
  const [store] = useState(() => new TableStore());
  const state = useStore(store.state);
  const wire = useMemo(() => coreWires(columns, main), [columns, main]);
  const parts = useMemo(() => (columns.some((c) => c.aggregate !== "last") || (main.key !== null && main.judged(main.key) !== "last") ? ["last", "min", "max"] : ["last"]), [columns, main]);
  const order = useMemo(() => orderBy(sort, main.lower), [sort, main]);
  const filter = toFilter(view.q);
  const query = useMemo<TableQuery>(() => ({ experiment_ids: [experimentId], filter, order_by: order, columns: wire, parts, view: view.deleted ? "deleted" : "active" }), [experimentId, filter, order, wire, parts, view.deleted]);
  const asked = JSON.stringify(query);
  const latest = useLatest(query);
  const holding = useLatest(hold);
  useEffect(() => {
    if (ready) void store.load(latest.current);
  }, [store, asked, ready, latest]);
  useOnChanges((runs) => {
    const ours = runs.filter((r) => r.experiment_id === experimentId).map((r) => r.run_id);
    return ours.length ? store.refresh(ours, () => holding.current) : Promise.resolve();
  }, REFRESH_REST_MS);
  useEffect(() => live.onComeback(() => void store.reload()), [store]);
  useEffect(() => {
    if (!hold) store.release();
  }, [hold, store]);
  return { store, state, query };
}

/** The run that the others are measured against: from the rows at hand, else fetched by itself. */
export function useBaseline(id: string, rows: Row[], query: Pick<TableQuery, "columns" | "parts">): Row | null {
  const near = useMemo(() => (id ? (rows.find((r) => r.run.run_id === id) ?? null) : null), [id, rows]);
  const far = useTable("baseline", { columns: query.columns, parts: query.parts, run_ids: [id], max_results: 1, view: "all" }, id !== "" && near === null && rows.length > 0);
  return near ?? (id ? (far.data?.rows.find((r) => r.run.run_id === id) ?? null) : null);
}

/** The first rows with all columns, to see which differ when the table fetches only those in view. */
export function useDiffering(query: TableQuery, columns: Column[], rows: Row[], only: boolean): Column[] {
  const many = only && columns.length > FEW_COLUMNS;
  const sample = useTable("differing", { ...query, columns: wiresOf(columns), parts: ["last"], max_results: PAGE }, many);
  return useMemo(() => visibleColumns(columns, many ? (sample.data?.rows ?? []) : rows, only), [columns, rows, only, many, sample.data]);
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
