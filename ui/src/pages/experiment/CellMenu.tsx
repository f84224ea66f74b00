import { useMemo } from "react";
import type { Row } from "../../api/table";
import { metricValue, type Column } from "../../model/columns";
import { addCondition, equals, quoteKey, splitColumn } from "../../model/filter";
import { formatParam, isNumeric } from "../../model/format";
import { t } from "../../i18n";
import { MenuList, type MenuEntry } from "../../ui/Menu";
import { Popover } from "../../ui/Popover";
import { copyText } from "../../ui/toast";
import type { ExperimentView } from "../../url/experiment";
import type { MainMetric } from "./useExperiment";

export interface CellAt {
  row: Row;
  column: Column;
  element: HTMLElement;
}

/** A value as the search language and the clipboard write it; null where there is none. */
export function rawValue(row: Row, column: Column, main: MainMetric): string | null {
  switch (column.kind) {
    case "metric":
    case "spark": {
      const value = metricValue(row, column.key, column.aggregate, main.lower(column.key));
      return value === null ? null : String(value);
    }
    case "param":
    case "tag":
      return row.texts[column.id] ?? null;
    case "user":
      return row.run.user || null;
    case "started":
      return String(row.run.start_time);
    default:
      return null;
  }
}

/** The column as the search language names it; null where it cannot. */
function searched(column: Column): string | null {
  if (column.kind === "metric" && column.aggregate !== "last") return null;
  if (column.kind === "metric" || column.kind === "spark") return `metrics.${column.key}`;
  if (column.kind === "param" || column.kind === "tag") return column.id;
  if (column.kind === "user") return "attributes.user_id";
  return column.kind === "started" ? "attributes.start_time" : null;
}

/** The condition that a value is exactly this; what Alt and a click add. */
export function condition(column: Column, value: string | null): string | null {
  const id = searched(column);
  if (id === null) return null;
  const [kind, key] = splitColumn(id);
  if (value === null) return `${kind}.${quoteKey(key)} IS NULL`;
  return column.kind === "started" ? `${id} = ${value}` : equals(id, value);
}

/** What can be done with one value of the table. */
export function cellEntries({ row, column }: CellAt, view: ExperimentView, main: MainMetric, change: (change: Partial<ExperimentView>) => void): MenuEntry[] {
  const value = rawValue(row, column, main);
  const id = searched(column);
  const entries: MenuEntry[] = [];
  const add = (label: string, text: string) => entries.push({ label, icon: "filter", onSelect: () => change({ q: addCondition(view.q, text) }) });
  if (id !== null) {
    const [kind, key] = splitColumn(id);
    const name = `${kind}.${quoteKey(key)}`;
    const same = condition(column, value)!;
    if (value === null) add(t.filterMissing, same);
    else {
      const shown = column.kind === "param" ? formatParam(value) : value.slice(0, 30);
      add(t.filterEquals(shown), same);
      if (kind !== "metrics" && column.kind !== "started") add(t.filterNot(shown), same.replace(`${name} = `, `${name} != `));
      if (isNumeric(value)) {
        add(t.filterAtMost(shown), `${name} <= ${value}`);
        add(t.filterAtLeast(shown), `${name} >= ${value}`);
      }
    }
  }
  if (column.kind === "param" || column.kind === "tag") entries.push({ label: t.groupByThis, icon: "group", onSelect: () => change({ group: [column.id], open: [] }) });
  if (value !== null) entries.push("line", { label: t.copyValue, icon: "copy", onSelect: () => void copyText(value) });
  return entries;
}

/** The menu of a cell, beside it. */
export function CellMenu({ at, entries, onClose }: { at: CellAt | null; entries: MenuEntry[]; onClose: () => void }) {
  const anchor = useMemo(() => ({ current: at?.element ?? null }), [at]);
  if (!at || !entries.length) return null;
  return <Popover anchor={anchor} open onClose={onClose} label={t.cellMenu} role="menu" align="start"><MenuList entries={entries} onDone={onClose} /></Popover>;
}
