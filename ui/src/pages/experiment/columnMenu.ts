import { READINGS, type Reading } from "../../model/criterion";
import { metricId, moveColumn, type Aggregate, type Column } from "../../model/columns";
import { t } from "../../i18n";
import type { MenuEntry } from "../../ui/Menu";
import type { ExperimentView, SortKey } from "../../url/experiment";
import type { MainMetric } from "./useExperiment";

export interface ColumnActions {
  view: ExperimentView;
  change: (change: Partial<ExperimentView>, replace?: boolean) => void;
  /** All columns of the view but the changes against the baseline, in their order. */
  columns: Column[];
  sort: SortKey[];
  /** The direction a column is first sorted in: best first for metrics. */
  descFirst: (column: Column) => boolean;
  main: MainMetric;
  onMain: (key: string) => void;
  /** Both are kept with the experiment, for everyone. */
  onDirection: (key: string, lower: boolean) => void;
  onReading: (key: string, reading: Reading) => void;
  onFit: (id: string) => void;
  onCopy: (column: Column) => void;
  onFilter: (column: Column) => void;
}

const STEP = 16;
const toggled = (list: readonly string[], id: string) => (list.includes(id) ? list.filter((one) => one !== id) : [...list, id]);

const idsOf = (columns: readonly Column[]) => columns.filter((c) => c.kind !== "delta").map((c) => c.id);

export const heatedIds = (view: ExperimentView, main: MainMetric): string[] => view.heat ?? (main.key === null || main.direction(main.key) === null ? [] : [`metrics.${main.key}`, `best:metrics.${main.key}`]);

/** Puts a column where another stands; one that moves among the pinned ones is pinned. */
export function reorder({ view, change, columns }: Pick<ColumnActions, "view" | "change" | "columns">, id: string, target: string): void {
  const ids = moveColumn(idsOf(columns), id, target);
  const joins = view.pin.includes(target);
  const pin = view.pin.includes(id) === joins ? view.pin : toggled(view.pin, id);
  change({ cols: ids, pin: ids.filter((one) => pin.includes(one)) });
}

function moves(column: Column, p: ColumnActions): MenuEntry[] {
  const ids = idsOf(p.columns);
  const at = ids.indexOf(column.id);
  const to = (by: number) => () => reorder(p, column.id, ids[at + by]!);
  return [
    ...(at > 0 ? [{ label: t.moveLeft, hint: "Ctrl ⇧ ←", onSelect: to(-1) }] : []),
    ...(at < ids.length - 1 ? [{ label: t.moveRight, hint: "Ctrl ⇧ →", onSelect: to(1) }] : []),
  ];
}

/** Moves the column with this id one place; for the keyboard. */
export function nudge(p: ColumnActions, id: string, by: number): void {
  const ids = idsOf(p.columns);
  const target = ids[ids.indexOf(id) + by];
  if (target !== undefined) reorder(p, id, target);
}

function metricEntries(column: Column, p: ColumnActions): MenuEntry[] {
  const { view, change, main } = p;
  const shown: [Aggregate, string][] = [["last", t.showLast], ["best", t.showBest], ["min", t.showMin], ["max", t.showMax]];
  const ids = idsOf(p.columns);
  const replace = (aggregate: Aggregate) => change({ cols: ids.map((id) => (id === column.id ? metricId(column.key, aggregate) : id)), pin: view.pin.map((id) => (id === column.id ? metricId(column.key, aggregate) : id)) });
  const lower = main.direction(column.key);
  const names: Record<Reading, string> = { last: t.judgeLast, best: t.judgeBest, smoothed: t.judgeSmoothed };
  return [
    ...shown.filter(([a]) => a === column.aggregate || !ids.includes(metricId(column.key, a))).map(([a, label]): MenuEntry => ({ label, checked: a === column.aggregate, onSelect: () => replace(a) })),
    "line",
    { label: t.lowerBetter, checked: lower === true, onSelect: () => p.onDirection(column.key, true) },
    { label: t.higherBetter, checked: lower === false, onSelect: () => p.onDirection(column.key, false) },
    "line",
    ...READINGS.map((reading): MenuEntry => ({ label: names[reading], checked: main.reading(column.key) === reading, onSelect: () => p.onReading(column.key, reading) })),
    { label: t.useAsMain, checked: column.key === main.key, onSelect: () => p.onMain(column.key) },
    "line",
  ];
}

/** A place in the order after the columns that are sorted by, or none. */
function alsoSorted(column: Column, { sort, change, descFirst }: ColumnActions): MenuEntry[] {
  const key = column.sort!;
  if (sort.some((one) => one.key === key)) return sort.length > 1 ? [{ label: t.sortWithout, onSelect: () => change({ sort: sort.filter((one) => one.key !== key) }) }] : [];
  return sort.length ? [{ label: t.sortThen, hint: "⇧", onSelect: () => change({ sort: [...sort, { key, desc: descFirst(column) }] }) }] : [];
}

/** Everything that can be done with a column. */
export function columnMenu(column: Column, p: ColumnActions): MenuEntry[] {
  const { view, change } = p;
  const key = column.sort;
  const sortEntry = (desc: boolean): MenuEntry => ({ label: desc ? t.sortDesc : t.sortAsc, icon: desc ? "arrowDown" : "arrowUp", checked: p.sort[0]?.key === key && p.sort[0].desc === desc, onSelect: () => change({ sort: [{ key: key!, desc }] }) });
  const heated = heatedIds(view, p.main);
  const text = column.kind === "param" || column.kind === "tag";
  const wider = (by: number) => () => change({ widths: { ...view.widths, [column.id]: column.width + by } }, true);
  return [
    ...(key ? [sortEntry(false), sortEntry(true), ...alsoSorted(column, p), "line" as const] : []),
    ...(column.kind === "metric" ? metricEntries(column, p) : []),
    ...(column.kind === "metric" || column.kind === "param" ? [{ label: t.colourScale, checked: heated.includes(column.id), onSelect: () => change({ heat: toggled(heated, column.id) }) }] : []),
    ...(text ? [{ label: t.filterHint.split(":")[0]!, icon: "filter" as const, onSelect: () => p.onFilter(column) }, { label: t.groupByThis, icon: "group" as const, onSelect: () => change({ group: [column.id], open: [] }) }] : []),
    { label: view.pin.includes(column.id) ? t.unpinColumn : t.pinColumn, icon: "pin", onSelect: () => change({ pin: toggled(view.pin, column.id) }) },
    ...moves(column, p),
    { label: t.wider, onSelect: wider(STEP) },
    { label: t.narrower, onSelect: wider(-STEP) },
    { label: t.fitWidth, onSelect: () => p.onFit(column.id) },
    { label: t.copyValues, icon: "copy", onSelect: () => p.onCopy(column) },
    "line",
    { label: t.hideColumn, icon: "x", onSelect: () => change({ cols: idsOf(p.columns).filter((id) => id !== column.id), pin: view.pin.filter((id) => id !== column.id) }) },
  ];
}
