import { memo, useEffect, type CSSProperties, type MouseEvent, type ReactNode } from "react";
import type { Row } from "../../api/table";
import type { Group } from "../../api/tableGroups";
import { letGo } from "../../charts/hot";
import type { Column } from "../../model/columns";
import { formatParam, middle } from "../../model/format";
import { t } from "../../i18n";
import { StatusGlyph } from "../../parts/Status";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/router";
import { Swatch } from "../../ui/Swatch";
import { runPath } from "../../url/routes";
import { Cell, GroupCellView } from "./cells";
import type { Formats } from "./formats";

/** The columns that are drawn: pinned ones always, of the others a window. */
export interface Drawn {
  pinned: Column[];
  shown: Column[];
  /** Pixels of the columns before the window. */
  before: number;
  /** Column number of the first one shown, from 1. */
  first: number;
  firsts: ReadonlySet<string>;
}

interface LineProps {
  index: number;
  top: number;
  drawn: Drawn;
  formats: Formats;
  baseline: Row | null;
  cursor: boolean;
  /** The column under the cursor; null where the row as a whole is. */
  at: string | null;
  /** True for the row that Tab leads to. */
  stop: boolean;
  direction: (key: string) => boolean | null;
  onCursor: (index: number) => void;
}

/** The cells of a line: those that stay in view in one sliding pane, then the window of the others. */
function Cells({ drawn, lead, cell }: { drawn: Drawn; lead: ReactNode; cell: (column: Column, number: number) => ReactNode }) {
  return (
    <>
      <div className="pinned" role="none">{lead}{drawn.pinned.map((column, i) => cell(column, i + 3))}</div>
      {drawn.before > 0 && <i className="gapcell" style={{ width: drawn.before }} />}
      {drawn.shown.map((column, i) => cell(column, drawn.first + i))}
    </>
  );
}

const classOf = (column: Column, drawn: Drawn, at: string | null, more = "") => `td${column.left ? " l" : ""}${drawn.firsts.has(column.id) ? " gl" : ""}${at === column.id ? " at" : ""}${more}`;

export interface RunRowProps extends LineProps {
  row: Row;
  slot: number | null;
  selected: boolean;
  depth: number;
  childOf: string | null;
  from: string;
  hot: boolean;
  now: number;
  onSelect: (index: number, on: boolean, range: boolean) => void;
  onDraw: (id: string) => void;
  onHover: (id: string | null) => void;
}

const differing = (row: Row, column: Column, baseline: Row | null) =>
  baseline !== null && baseline.run.run_id !== row.run.run_id && column.kind === "param" && (row.texts[column.id] ?? null) !== (baseline.texts[column.id] ?? null);

/** One run in the table. */
export const RunRow = memo(function RunRow(props: RunRowProps) {
  const { row, index, drawn, slot, selected, baseline, at } = props;
  const { run } = row;
  const id = run.run_id;
  const check = (event: MouseEvent<HTMLInputElement>) => props.onSelect(index, event.currentTarget.checked, event.shiftKey);
  const click = (event: MouseEvent<HTMLElement>) => {
    if ((event.target as HTMLElement).closest("a, button, input")) return;
    if (event.shiftKey || event.ctrlKey || event.metaKey) props.onSelect(index, event.shiftKey || !selected, event.shiftKey);
    props.onCursor(index);
  };
  const inside = props.stop ? 0 : -1;
  useEffect(() => () => letGo(id), [id]);
  const classes = `tr${selected ? " sel" : ""}${props.cursor ? " cur" : ""}${props.hot ? " hot" : ""}`;
  const lead = (
    <>
      <div role="gridcell" aria-colindex={1} className="td p0">
        <input type="checkbox" className="cb" tabIndex={inside} checked={selected} aria-label={t.selectRun(run.name)} data-check={index} onClick={check} onChange={() => undefined} />
        <button type="button" className="swbtn" tabIndex={inside} aria-pressed={slot !== null} aria-label={slot === null ? t.drawRun(run.name) : t.hideRun(run.name)} title={slot === null ? t.drawRun(run.name) : t.hideRun(run.name)} onClick={() => props.onDraw(id)}><Swatch slot={slot} /></button>
      </div>
      <div role="rowheader" aria-colindex={2} className="td p1" style={props.depth ? { "--depth": props.depth } as CSSProperties : undefined}>
        {props.depth > 0 && <i className="elbow" aria-hidden="true" />}
        <StatusGlyph status={run.status} />
        <Link to={runPath(run.experiment_id, id)} from={props.from} tabIndex={inside} className="rname" title={run.name}>{middle(run.name)}</Link>
        {props.childOf && <span className="childof ell" title={t.childOf(props.childOf)}>{t.childOf(props.childOf)}</span>}
        {baseline?.run.run_id === id && <span className="muted" title={t.baseline}><Icon name="pin" small /></span>}
      </div>
    </>
  );
  return (
    <div id={`row-${index}`} role="row" tabIndex={inside} onFocus={(e) => e.target === e.currentTarget && props.onCursor(index)} aria-rowindex={index + 3} aria-selected={selected} className={classes} style={{ transform: `translateY(${props.top}px)` }}
      data-testid="run-row" data-run-id={id} data-index={index} onClick={click} onPointerEnter={() => props.onHover(id)} onPointerLeave={() => props.onHover(null)}>
      <Cells drawn={drawn} lead={lead} cell={(column, number) => (
        <div key={column.id} role="gridcell" aria-colindex={number} data-col={column.id} className={classOf(column, drawn, at, differing(row, column, baseline) ? " diff" : "")} style={{ width: column.width }}
          title={column.kind === "tag" || column.kind === "param" ? (row.texts[column.id] ?? undefined) : undefined}>
          <Cell row={row} column={column} formats={props.formats} baseline={baseline} slot={slot} now={props.now} direction={props.direction} />
        </div>
      )} />
    </div>
  );
});

interface GroupRowProps extends LineProps {
  group: Group;
  by: string[];
  open: boolean;
  onToggle: (group: Group) => void;
}

export const groupName = (group: Group) => group.values.map((v) => (v === null ? t.notSet : formatParam(v))).join(" · ");

/** A group of runs: its values, how many they are, and what their metrics come to. */
export const GroupRow = memo(function GroupRow(props: GroupRowProps) {
  const { group, by, open, index, drawn, at } = props;
  const name = groupName(group);
  const inside = props.stop ? 0 : -1;
  const lead = (
    <>
      <div role="gridcell" aria-colindex={1} className="td p0" />
      <div role="rowheader" aria-colindex={2} className="td p1">
        <button type="button" className="gopen" tabIndex={inside} aria-expanded={open} aria-label={open ? t.closeGroup(name) : t.openGroup(name)} disabled={group.filter === null} onClick={() => props.onToggle(group)}><Icon name={open ? "down" : "right"} small /></button>
        <b className="ell" title={name}>{name}</b>
        <span className="muted num gcount">{t.groupRuns(group.runs)}</span>
      </div>
    </>
  );
  return (
    <div id={`row-${index}`} role="row" tabIndex={inside} onFocus={(e) => e.target === e.currentTarget && props.onCursor(index)} aria-rowindex={index + 3} aria-expanded={open} aria-level={1} className={`tr grow-row${props.cursor ? " cur" : ""}`} style={{ transform: `translateY(${props.top}px)` }}
      data-testid="group-row" data-index={index} onClick={() => props.onCursor(index)} onDoubleClick={() => props.onToggle(group)}>
      <Cells drawn={drawn} lead={lead} cell={(column, number) => (
        <div key={column.id} role="gridcell" aria-colindex={number} data-col={column.id} className={classOf(column, drawn, at)} style={{ width: column.width }}>
          <GroupCellView group={group} by={by} column={column} formats={props.formats} baseline={props.baseline} direction={props.direction} />
        </div>
      )} />
    </div>
  );
});
