import { memo, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { headerGroups, LEAST_WIDTH, type Column } from "../../model/columns";
import { tellApart } from "../../model/format";
import { t } from "../../i18n";
import { Icon } from "../../ui/Icon";
import { MenuButton } from "../../ui/Menu";
import type { SortKey } from "../../url/experiment";
import { columnMenu, nudge, reorder, type ColumnActions } from "./columnMenu";
import type { Drawn } from "./RunRow";

interface Props {
  drawn: Drawn;
  actions: ColumnActions;
  allSelected: boolean;
  someSelected: boolean;
  selectable: boolean;
  onSelectAll: (on: boolean) => void;
  /** A width while the edge is dragged; null when it is let go. */
  onSizing: (size: { id: string; width: number } | null) => void;
}

const DRAG_LEAST = 5;
const NAMES = (): Record<string, string> => ({ duration: t.duration, started: t.started, user: t.user, "Δ": t.deltaBase });

/** Sorting by a column: alone, or after those that are there. */
function sorted(sort: SortKey[], column: Column, add: boolean, descFirst: boolean): SortKey[] {
  const at = sort.findIndex((s) => s.key === column.sort);
  const next = { key: column.sort!, desc: at >= 0 ? !sort[at]!.desc : descFirst };
  if (!add) return [next];
  return at >= 0 ? sort.map((s, i) => (i === at ? next : s)) : [...sort, next];
}

/** Dragging a header's cell over another one; the pointer's column is marked, and gets the place when it is let go. */
function useDrag(onMove: (id: string, target: string) => void) {
  const from = useRef<{ id: string; x: number; moving: boolean } | null>(null);
  const [target, setTarget] = useState<{ id: string; over: string } | null>(null);
  const down = (event: PointerEvent<HTMLElement>, column: Column) => {
    if (event.button !== 0 || column.kind === "delta" || (event.target as HTMLElement).closest(".colmenu, .edge")) return;
    from.current = { id: column.id, x: event.clientX, moving: false };
  };
  const move = (event: PointerEvent<HTMLElement>) => {
    const drag = from.current;
    if (!drag) return;
    if (!drag.moving && Math.abs(event.clientX - drag.x) < DRAG_LEAST) return;
    if (!drag.moving) event.currentTarget.setPointerCapture(event.pointerId);
    drag.moving = true;
    const over = document.elementsFromPoint(event.clientX, event.clientY).map((e) => (e as HTMLElement).closest?.<HTMLElement>(".thead [data-col]")?.dataset["col"]).find(Boolean);
    setTarget(over && over !== drag.id && !over.startsWith("delta.") ? { id: drag.id, over } : null);
  };
  const up = () => {
    if (from.current?.moving && target) onMove(target.id, target.over);
    from.current = null;
    setTarget(null);
  };
  return { down, move, up, over: target?.over ?? null };
}

/** The right edge of a column: drag sizes, double click fits. The column's menu does the same for the keyboard. */
function Edge({ column, onSizing, onDone, onFit }: { column: Column; onSizing: Props["onSizing"]; onDone: (width: number) => void; onFit: () => void }) {
  const start = useRef<{ x: number; width: number } | null>(null);
  const width = (event: PointerEvent) => Math.max(LEAST_WIDTH, Math.round(start.current!.width + event.clientX - start.current!.x));
  return (
    <i className="edge" aria-hidden="true" title={t.dragColumn}
      onPointerDown={(e) => { e.stopPropagation(); e.preventDefault(); e.currentTarget.setPointerCapture(e.pointerId); start.current = { x: e.clientX, width: column.width }; }}
      onPointerMove={(e) => start.current && onSizing({ id: column.id, width: width(e) })}
      onPointerUp={(e) => { if (start.current && e.clientX !== start.current.x) onDone(width(e)); start.current = null; onSizing(null); }}
      onDoubleClick={(e) => { e.stopPropagation(); onFit(); }} />
  );
}

const NAME_KEY = "attributes.run_name";

/** The head of the runs' names, by which they are sorted too. */
function NameHead({ sort, change }: Pick<ColumnActions, "sort" | "change">) {
  const at = sort.findIndex((s) => s.key === NAME_KEY);
  const desc = sort[at]?.desc;
  const next = (add: boolean): SortKey[] => {
    const key = { key: NAME_KEY, desc: at >= 0 && !desc };
    return add ? (at >= 0 ? sort.map((s, i) => (i === at ? key : s)) : [...sort, key]) : [key];
  };
  return (
    <div role="columnheader" aria-colindex={2} className={`th p1${at >= 0 ? " sorted" : ""}`} aria-sort={at < 0 ? undefined : desc ? "descending" : "ascending"}>
      <button type="button" className="sortbtn" onClick={(e) => change({ sort: next(e.shiftKey) })}><span className="ell">{t.run}</span>{at >= 0 && <Icon name={desc ? "arrowDown" : "arrowUp"} small />}{at >= 0 && sort.length > 1 && <small>{at + 1}</small>}</button>
    </div>
  );
}

/** Two header lines: the namespace, then the name with its sorting. They stay as they are while rows scroll. */
export const RunsHeader = memo(function RunsHeader(p: Props) {
  const { drawn, actions } = p;
  const { view, change, sort } = actions;
  const names = NAMES();
  const short = useMemo(() => tellApart(actions.columns.filter((c) => c.kind === "param" || c.kind === "tag").map((c) => c.name)), [actions.columns]);
  const drag = useDrag((id, target) => reorder(actions, id, target));
  const keys = (event: KeyboardEvent, column: Column) => {
    if (!event.ctrlKey || !event.shiftKey || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
    event.preventDefault();
    event.stopPropagation();
    nudge(actions, column.id, event.key === "ArrowLeft" ? -1 : 1);
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`.thead [data-col="${CSS.escape(column.id)}"] .sortbtn`)?.focus());
  };
  const cell = (column: Column, number: number) => {
    const at = sort.findIndex((s) => s.key === column.sort);
    const desc = sort[at]?.desc;
    const name = names[column.name] ?? short.get(column.name) ?? column.name;
    const about = column.aggregate === "last" ? null : column.aggregate === "best" ? t.best : column.aggregate;
    return (
      <div key={column.id} role="columnheader" aria-colindex={number} data-col={column.id} aria-sort={at < 0 ? undefined : desc ? "descending" : "ascending"} style={{ width: column.width }}
        className={`th${column.left ? " l" : ""}${drawn.firsts.has(column.id) ? " gl" : ""}${at >= 0 ? " sorted" : ""}${drag.over === column.id ? " drop" : ""}`}
        onPointerDown={(e) => drag.down(e, column)} onPointerMove={drag.move} onPointerUp={drag.up} onPointerCancel={drag.up} onKeyDown={(e) => keys(e, column)}>
        {column.kind !== "delta" && <MenuButton look="ghost" className="colmenu" icon="down" label={t.columnMenu(column.key)} entries={() => columnMenu(column, actions)} />}
        {column.sort
          ? <button type="button" className="sortbtn" title={column.key} onClick={(e) => change({ sort: sorted(sort, column, e.shiftKey, actions.descFirst(column)) })}><span className="ell">{name}{about && <small className="muted"> {about}</small>}</span>{at >= 0 && <Icon name={desc ? "arrowDown" : "arrowUp"} small />}{at >= 0 && sort.length > 1 && <small>{at + 1}</small>}</button>
          : <span className="ell" title={column.key}>{name}{about && <small className="muted"> {about}</small>}</span>}
        {column.kind !== "delta" && <Edge column={column} onSizing={p.onSizing} onFit={() => actions.onFit(column.id)} onDone={(width) => change({ widths: { ...view.widths, [column.id]: width } }, true)} />}
      </div>
    );
  };
  const group = ({ group: name, columns }: { group: string; columns: Column[] }) => (
    <div key={columns[0]!.id} role="columnheader" aria-colspan={columns.length} className="th gl" style={{ width: columns.reduce((sum, c) => sum + c.width, 0) }}><span className="ell">{name === "run" ? t.runHead : name}</span></div>
  );
  const gap = drawn.before > 0 && <i className="gapcell" style={{ width: drawn.before }} />;
  return (
    <div className="thead" role="rowgroup">
      <div role="row" className="tr g" aria-rowindex={1}>
        <div className="pinned" role="none">
          <div role="columnheader" className="th p0"><span className="vh">{t.colour}</span></div>
          <div role="columnheader" className="th p1"><span className="vh">{t.run}</span></div>
          {headerGroups(drawn.pinned).map(group)}
        </div>
        {gap}
        {headerGroups(drawn.shown).map(group)}
      </div>
      <div role="row" className="tr h" aria-rowindex={2}>
        <div className="pinned" role="none">
          <div role="columnheader" aria-colindex={1} className="th p0">
            {p.selectable && <input type="checkbox" className="cb" aria-label={t.selectAll} checked={p.allSelected} ref={(node) => { if (node) node.indeterminate = p.someSelected && !p.allSelected; }} onChange={(e) => p.onSelectAll(e.target.checked)} />}
          </div>
          <NameHead sort={sort} change={change} />
          {drawn.pinned.map((column, i) => cell(column, i + 3))}
        </div>
        {gap}
        {drawn.shown.map((column, i) => cell(column, drawn.first + i))}
      </div>
    </div>
  );
});
