import { useMemo } from "react";
import type { Row } from "../../api/table";
import { metricValue, partOf, type Column } from "../../model/columns";
import { addCondition, quote, quoteKey } from "../../model/filter";
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

const isText = (column: Column) => column.kind === "param" || column.kind === "tag" || column.kind === "user";

/** The column as the search language names it; null where it cannot. */
function searched(column: Column, main: MainMetric): string | null {
  switch (column.kind) {
    case "metric":
    case "spark": {
      const part = partOf(column.aggregate, main.lower(column.key));
      const name = `metrics.${quoteKey(column.key)}`;
      return part === "last" ? name : `${part}(${name})`;
    }
    case "param":
    case "tag":
      return `${column.kind}s.${quoteKey(column.key)}`;
    case "user":
      return "attributes.user_id";
    case "started":
      return "attributes.start_time";
    default:
      return null;
  }
}

/** The condition that a value is exactly this; what Alt and a click add. */
export function condition(column: Column, value: string | null, main: MainMetric): string | null {
  const name = searched(column, main);
  if (name === null) return null;
  if (value === null) return `${name} IS NULL`;
  return `${name} = ${isText(column) ? quote(value) : value}`;
}

/** What can be done with one value of the table. */
export function cellEntries({ row, column }: CellAt, view: ExperimentView, main: MainMetric, change: (change: Partial<ExperimentView>) => void): MenuEntry[] {
  const value = rawValue(row, column, main);
  const name = searched(column, main);
  const entries: MenuEntry[] = [];
  const add = (label: string, text: string) => entries.push({ label, icon: "filter", onSelect: () => change({ q: addCondition(view.q, text) }) });
  if (name !== null) {
    const same = condition(column, value, main)!;
    if (value === null) add(t.filterMissing, same);
    else {
      const shown = column.kind === "param" ? formatParam(value) : value.slice(0, 30);
      add(t.filterEquals(shown), same);
      if (isText(column)) add(t.filterNot(shown), same.replace(`${name} = `, `${name} != `));
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
