import { useEffect, useMemo, useState } from "react";
import { live } from "../../api/live";
import type { TableQuery } from "../../api/table";
import { GroupStore, type GroupState, type Item } from "../../api/tableGroups";
import type { TableState, TableStore } from "../../api/tableStore";
import { partOf, sortedMetric, wireColumn, type Aggregate, type Column } from "../../model/columns";
import type { Nested } from "../../model/nest";
import { useOnChanges } from "../../parts/live";
import { useLatest, useStore } from "../../ui/hooks";
import type { ExperimentView, SortKey } from "../../url/experiment";
import type { MainMetric } from "./useExperiment";

/** The lines of the table, one after the other: runs, or groups with the runs of those that are open. */
export interface Lines {
  count: number;
  /** Undefined while the line is on its way. */
  at: (index: number) => Item | undefined;
  need: (first: number, last: number, columns: readonly string[]) => void;
  /** Grows whenever a line changes. */
  version: number;
  grouped: GroupState | null;
}

/** A metric of a group as the server names it. */
export function measureOf(key: string, aggregate: Aggregate, lower: boolean): string {
  const part = partOf(aggregate, lower);
  return part === "last" ? key : `${part}(${key})`;
}

/** Measures that are asked for with the groups; the others come as their columns are looked at. */
const FIRST_MEASURES = 8;

/** The measure that a sort key names; null for what is no metric. */
function sortedMeasure(key: string, main: MainMetric): string | null {
  const metric = sortedMetric(key);
  return metric && measureOf(metric.key, metric.aggregate, main.lower(metric.key));
}

function groupOrder(sort: SortKey[], by: string[], measures: string[], main: MainMetric): string[] {
  return sort.flatMap(({ key, desc }) => {
    const way = desc ? "DESC" : "ASC";
    if (by.includes(key)) return [`${key} ${way}`];
    const measure = sortedMeasure(key, main);
    return measure !== null && measures.includes(measure) ? [`mean(${measure}) ${way}`] : [];
  });
}

/** The column of texts whose variety a group tells: params, tags and users; null for others. */
export const textOf = (column: Column): string | null => (column.kind === "param" || column.kind === "tag" ? column.id : column.kind === "user" ? "attributes.user_id" : null);

/** The texts in view that are not the same in a whole group anyway. */
function textsOf(columns: readonly Column[], wires: readonly string[], by: readonly string[]): string[] {
  return columns.flatMap((column) => {
    const text = textOf(column);
    return text === null || by.includes(column.id) || !(column.kind === "user" || wires.includes(column.id)) ? [] : [text];
  });
}

const isMetric = (column: Column) => column.kind === "metric" || column.kind === "delta" || column.kind === "spark";

/** The lines of the view. Groups are asked for only while the view has some. */
export function useLines(view: ExperimentView, sort: SortKey[], columns: Column[], main: MainMetric, query: TableQuery, store: TableStore, state: TableState, nested: Nested, ready: boolean): { lines: Lines; groups: GroupStore } {
  const [groups] = useState(() => new GroupStore());
  const grouped = useStore(groups.state);
  const by = view.group;
  const on = by.length > 0;
  const named = useMemo(() => columns.filter(isMetric).map((c) => ({ wire: wireColumn(c)!, measure: measureOf(c.key, c.aggregate, main.lower(c.key)) })), [columns, main]);
  const measures = useMemo(() => {
    const sorted = sort.flatMap(({ key }) => sortedMeasure(key, main) ?? []);
    return [...new Set([...sorted, ...named.slice(0, FIRST_MEASURES).map(({ measure }) => measure)])];
  }, [named, main, sort]);
  const asked = useMemo(() => ({
    experiment_ids: query.experiment_ids ?? [], filter: query.filter ?? "", view: query.view ?? "active" as const,
    by: view.group, metrics: measures, order_by: groupOrder(sort, view.group, measures, main),
  }), [query, view.group, measures, sort, main]);
  const text = JSON.stringify([asked, query]);
  const latest = useLatest({ asked, query });
  useEffect(() => {
    if (on && ready) void groups.load(latest.current.asked, latest.current.query);
  }, [groups, on, ready, text, latest]);
  useEffect(() => live.onComeback(() => void groups.refresh()), [groups]);
  const open = view.open.join("~");
  useEffect(() => groups.setOpen(open ? open.split("~") : []), [groups, open]);
  useOnChanges((runs) => (on && runs.some((r) => r.experiment_id === asked.experiment_ids[0]) ? groups.refresh() : Promise.resolve()), 2000);

  const lines = useMemo<Lines>(() => {
    if (on)
      return { count: groups.count, at: (i) => groups.at(i), need: (first, last, wires) => void groups.need(first, last, wires, { metrics: [...new Set(named.flatMap(({ wire, measure }) => (wires.includes(wire) ? [measure] : [])))], texts: textsOf(columns, wires, by) }), version: grouped.version, grouped };
    const { rows } = nested;
    return {
      count: Math.max(rows.length, state.total), version: state.version, grouped: null,
      at: (i) => {
        const row = rows[i] ?? store.at(i);
        return row && { kind: "run", row, group: null };
      },
      need: (first, last, wires) => void store.need(first, last, wires),
    };
  }, [on, groups, grouped, named, columns, by, nested, state.total, state.version, store]);
  return { lines, groups };
}
