import { headerGroups, type Aggregate, type Column } from "../../model/columns";
import { t } from "../../i18n";
import { Icon } from "../../ui/Icon";
import { MenuButton, type MenuEntry } from "../../ui/Menu";
import type { SortKey } from "../../url/experiment";

interface Props {
  columns: Column[];
  firsts: ReadonlySet<string>;
  sort: SortKey[];
  allSelected: boolean;
  someSelected: boolean;
  main: string | null;
  onSort: (sort: SortKey[]) => void;
  onSelectAll: (on: boolean) => void;
  onHide: (id: string) => void;
  onReplace: (id: string, next: string) => void;
  onMain: (key: string) => void;
  /** The direction a column is first sorted in: best first for metrics. */
  descFirst: (column: Column) => boolean;
}

const NAMES = (): Record<string, string> => ({ duration: t.duration, started: t.started, user: t.user, "Δ": t.deltaBase });

function columnMenu(column: Column, p: Props): MenuEntry[] {
  const key = column.sort;
  const sortEntry = (desc: boolean): MenuEntry => ({ label: desc ? t.sortDesc : t.sortAsc, icon: desc ? "arrowDown" : "arrowUp", checked: p.sort[0]?.key === key && p.sort[0].desc === desc, onSelect: () => p.onSort([{ key: key!, desc }]) });
  const id = (aggregate: Aggregate) => (aggregate === "last" ? `metrics.${column.key}` : `${aggregate}:metrics.${column.key}`);
  const shown: [Aggregate, string][] = [["last", t.showLast], ["min", t.showMin], ["max", t.showMax]];
  return [
    ...(key ? [sortEntry(false), sortEntry(true), "line" as const] : []),
    ...(column.kind === "metric"
      ? [...shown.map(([a, label]): MenuEntry => ({ label, checked: a === column.aggregate, onSelect: () => p.onReplace(column.id, id(a)) })), "line" as const,
        { label: t.useAsMain, checked: column.key === p.main, onSelect: () => p.onMain(column.key) }, "line" as const]
      : []),
    { label: t.hideColumn, icon: "x", onSelect: () => p.onHide(column.id) },
  ];
}

/** Two header lines: the namespace, then the name with its sorting. */
export function RunsHeader(p: Props) {
  const names = NAMES();
  const click = (column: Column, add: boolean) => {
    if (!column.sort) return;
    const at = p.sort.findIndex((s) => s.key === column.sort);
    const next = { key: column.sort, desc: at >= 0 ? !p.sort[at]!.desc : p.descFirst(column) };
    p.onSort(add ? (at >= 0 ? p.sort.map((s, i) => (i === at ? next : s)) : [...p.sort, next]) : [next]);
  };
  return (
    <div className="thead" role="rowgroup">
      <div role="row" className="tr g" aria-rowindex={1}>
        <div role="columnheader" className="th p0"><span className="vh">{t.colour}</span></div>
        <div role="columnheader" className="th p1"><span className="vh">{t.run}</span></div>
        {headerGroups(p.columns).map(({ group, columns }) => (
          <div key={columns[0]!.id} role="columnheader" aria-colspan={columns.length} className="th gl" style={{ width: columns.reduce((sum, c) => sum + c.width, 0) }}>{group === "run" ? t.runHead : group}</div>
        ))}
      </div>
      <div role="row" className="tr h" aria-rowindex={2}>
        <div role="columnheader" className="th p0">
          <input type="checkbox" className="cb" aria-label={t.selectAll} checked={p.allSelected} ref={(node) => { if (node) node.indeterminate = p.someSelected && !p.allSelected; }} onChange={(e) => p.onSelectAll(e.target.checked)} />
        </div>
        <div role="columnheader" className="th p1">{t.run}</div>
        {p.columns.map((column) => {
          const at = p.sort.findIndex((s) => s.key === column.sort && column.sort !== null);
          const desc = p.sort[at]?.desc;
          const name = names[column.name] ?? column.name;
          return (
            <div key={column.id} role="columnheader" aria-sort={at < 0 ? undefined : desc ? "descending" : "ascending"} className={`th${column.left ? " l" : ""}${p.firsts.has(column.id) ? " gl" : ""}${at >= 0 ? " sorted" : ""}`} style={{ width: column.width }}>
              {column.kind !== "delta" && <MenuButton look="ghost" className="colmenu" icon="down" label={t.columnMenu(name)} entries={() => columnMenu(column, p)} />}
              {column.sort
                ? <button type="button" className="sortbtn" title={column.key} onClick={(e) => click(column, e.shiftKey)}><span className="ell">{name}</span>{at >= 0 && <Icon name={desc ? "arrowDown" : "arrowUp"} small />}{at >= 0 && p.sort.length > 1 && <small>{at + 1}</small>}</button>
                : <span className="ell" title={column.key}>{name}{column.aggregate !== "last" && <small className="muted"> {column.aggregate}</small>}</span>}
            </div>
          );
        })}
      </div>
    </div>
  );
}
