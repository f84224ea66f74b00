import { defaultRangeExtractor, useVirtualizer, type Range } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type MouseEvent } from "react";
import type { Row } from "../../api/table";
import { hotRun } from "../../charts/hot";
import { wireColumn, type Column } from "../../model/columns";
import { DIRECTION_TAG, MAIN_TAG, READING_TAG } from "../../model/criterion";
import { addCondition, quoteKey, splitColumn } from "../../model/filter";
import { slotOf } from "../../model/slots";
import { t } from "../../i18n";
import { useLatest, useMedia, useNow, useStore } from "../../ui/hooks";
import { copyText } from "../../ui/toast";
import { cellEntries, CellMenu, condition, rawValue, type CellAt } from "./CellMenu";
import { heatedIds, type ColumnActions } from "./columnMenu";
import { formatsOf, SAMPLE } from "./formats";
import { Nothing } from "./Nothing";
import { GroupRow, RunRow } from "./RunRow";
import { RunsHeader } from "./RunsHeader";
import { SelectionBar } from "./SelectionBar";
import { TableFooter } from "./TableFooter";
import type { TableProps } from "./tableTypes";
import { useColumnWindow } from "./useColumnWindow";
import { useKeep } from "./useKeep";

const HEADER_ROWS = 2;
const MOST_FIT = 480;

/** The width that a column's cells and its name need, as far as they are drawn. */
function fitted(scroller: HTMLElement, id: string): number {
  const cells = [...scroller.querySelectorAll<HTMLElement>(`[data-col="${CSS.escape(id)}"]`)];
  const need = cells.map((cell) => {
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    let [left, right] = [Infinity, -Infinity];
    const take = (box: DOMRect) => {
      if (!box.width) return;
      left = Math.min(left, box.left);
      right = Math.max(right, box.right);
    };
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.parentElement?.closest(".vh")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      take(range.getBoundingClientRect());
    }
    for (const drawing of cell.querySelectorAll(".spark, .sortbtn svg")) take(drawing.getBoundingClientRect());
    return Math.max(0, right - left) + 20;
  });
  return Math.min(MOST_FIT, Math.ceil(Math.max(44, ...need)));
}

/** The rows that formats are made from: the same list as long as these rows are the same, so that no cell is drawn anew. */
function useSample(rows: Row[]): Row[] {
  const [kept, setKept] = useState<Row[]>([]);
  const fresh = rows.slice(0, SAMPLE);
  const same = fresh.length === kept.length && fresh.every((row, i) => row === kept[i]);
  if (!same) setKept(fresh);
  return same ? kept : fresh;
}

interface PaneProps extends TableProps {
  /** All columns of the view, those that differ not included in `columns` too. */
  all: Column[];
}

/** The runs as a grid: rows and columns are virtual and come as they are looked at; the header and the first cells stay in view. */
export function RunsPane(p: PaneProps) {
  const { rows, lines, columns: shown, selected, state, view, change, main, base } = p;
  const scroller = useRef<HTMLDivElement>(null);
  const anchor = useRef(0);
  const coarse = useMedia("(pointer: coarse)");
  const height = coarse ? 44 : 28;
  const now = useNow();
  const hot = useStore(hotRun);
  const keep = useKeep(p.experimentId);
  const { cursor } = p;
  const [sizing, setSizing] = useState<{ id: string; width: number } | null>(null);
  const columns = useMemo(() => (sizing ? shown.map((c) => (c.id === sizing.id ? { ...c, width: sizing.width } : c)) : shown), [shown, sizing]);
  const [column, setColumn] = useState<string | null>(null);
  const [menu, setMenu] = useState<CellAt | null>(null);
  const filled = lines.count > 0;
  const { drawn, width, reveal } = useColumnWindow(scroller, columns, filled);

  // The row with the focus stays mounted wherever the table is scrolled to.
  const extract = useCallback((range: Range) => {
    const seen = defaultRangeExtractor(range);
    return cursor < 0 || cursor >= range.count || seen.includes(cursor) ? seen : [...seen, cursor].sort((a, b) => a - b);
  }, [cursor]);
  const virtual = useVirtualizer({ rangeExtractor: extract, count: lines.count, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 8, scrollPaddingStart: 52, useFlushSync: false });
  const items = virtual.getVirtualItems();
  const [first, last] = [virtual.range?.startIndex ?? 0, virtual.range?.endIndex ?? 0];
  const wires = useMemo(() => [...drawn.pinned, ...drawn.shown].map(wireColumn).filter((c): c is string => c !== null), [drawn]);
  const need = lines.need;
  useEffect(() => need(Math.max(0, first - 8), last + 8, wires), [first, last, need, wires, state.loading, state.total]);
  useEffect(() => {
    if (cursor >= 0) virtual.scrollToIndex(cursor, { align: "auto" });
  }, [cursor, virtual]);
  // The focus follows the cursor, unless it is in a control of that very row or in a field.
  useEffect(() => {
    const row = cursor < 0 ? null : document.getElementById(`row-${cursor}`);
    if (row && !row.contains(document.activeElement) && !document.activeElement?.closest("input:not([type=checkbox]), textarea, dialog, .pop")) row.focus({ preventScroll: true });
  }, [cursor]);
  useEffect(() => () => hotRun.set(null), []);
  useEffect(() => virtual.measure(), [height, virtual]);

  const heated = useMemo(() => heatedIds(view, main), [view, main]);
  const sample = useSample(rows);
  const formats = useMemo(() => formatsOf(columns, sample, heated, main.lower), [columns, sample, heated, main]);
  const pickRange = p.onSelectRange;
  const pickOne = p.onSelect;
  const lineAt = useLatest(lines.at);
  const pick = useCallback((index: number, on: boolean, range: boolean) => {
    const item = lineAt.current(index);
    if (range) pickRange(Math.min(anchor.current, index), Math.max(anchor.current, index), on);
    else if (item?.kind === "run") pickOne([item.row.run.run_id], on);
    anchor.current = index;
  }, [lineAt, pickRange, pickOne]);
  const hover = useCallback((id: string | null) => hotRun.set(id), []);
  const { all, sort } = p;
  const latestRows = useLatest(rows);
  // One object while nothing of it changes: the header is left alone when rows come.
  const actions = useMemo<ColumnActions>(() => {
    return {
      view, change, columns: all, sort, main,
      descFirst: (c) => (c.kind === "metric" || c.kind === "spark" ? !main.lower(c.key) : c.kind === "started" || c.kind === "duration"),
      onMain: (key) => void keep(MAIN_TAG, key),
      onDirection: (key, lower) => void keep(DIRECTION_TAG + key, lower ? "lower" : "higher").then(() => change({ up: view.up.filter((k) => k !== key), down: view.down.filter((k) => k !== key) }, true)),
      onReading: (key, reading) => void keep(READING_TAG + key, reading),
      onFit: (id) => scroller.current && change({ widths: { ...view.widths, [id]: fitted(scroller.current, id) } }, true),
      onCopy: (c) => void copyText(latestRows.current.map((row) => rawValue(row, c, main) ?? "").join("\n")),
      onFilter: (c) => {
        const [kind, key] = splitColumn(c.id);
        const field = document.querySelector<HTMLInputElement>("[data-testid=filter-input]");
        if (!field) return;
        const start = addCondition(view.q, `${kind}.${quoteKey(key)} = `);
        const setter = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")!.set!;
        setter.call(field, start);
        field.dispatchEvent(new Event("input", { bubbles: true }));
        field.focus();
        field.setSelectionRange(start.length, start.length);
      },
    };
  }, [view, change, all, sort, main, keep, latestRows]);
  const selectAll = useLatest((on: boolean) => (on ? p.onSelect(rows.map((r) => r.run.run_id), true) : p.onClearSelection()));
  const onSelectAll = useCallback((on: boolean) => selectAll.current(on), [selectAll]);

  /** The run's cell under an event; null in headers and group rows. */
  const cellOf = (target: EventTarget): CellAt | null => {
    const element = (target as HTMLElement).closest<HTMLElement>("[role=gridcell][data-col]");
    const index = Number(element?.closest<HTMLElement>("[data-index]")?.dataset["index"] ?? NaN);
    const item = Number.isNaN(index) ? undefined : lines.at(index);
    const found = columns.find((c) => c.id === element?.dataset["col"]);
    return element && item?.kind === "run" && found ? { row: item.row, column: found, element } : null;
  };
  const altClick = (event: MouseEvent) => {
    const cell = event.altKey ? cellOf(event.target) : null;
    const text = cell && condition(cell.column, rawValue(cell.row, cell.column, main), main);
    if (!text) return;
    event.preventDefault();
    event.stopPropagation();
    change({ q: addCondition(view.q, text) });
  };
  const contextMenu = (event: MouseEvent) => {
    const cell = cellOf(event.target);
    if (!cell) return;
    event.preventDefault();
    setMenu(cell);
  };
  const order = [...drawn.pinned, ...columns.filter((c) => !c.pinned)].map((c) => c.id);
  const keys = (event: KeyboardEvent) => {
    if ((event.target as HTMLElement).getAttribute("role") !== "row" || event.ctrlKey || event.metaKey || event.altKey) return;
    const item = lines.at(cursor);
    const page = Math.max(1, last - first - 2);
    const to = { Home: 0, End: lines.count - 1, PageDown: Math.min(lines.count - 1, cursor + page), PageUp: Math.max(0, cursor - page) }[event.key];
    if (to !== undefined) p.onCursor(to);
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      const right = event.key === "ArrowRight";
      const at = column === null ? -1 : order.indexOf(column);
      if (item?.kind === "group" && item.open !== right) p.onToggleGroup(item.group);
      else {
        const next = order[at + (right ? 1 : -1)] ?? (right ? column : null);
        setColumn(next);
        if (next !== null) reveal(next);
      }
    } else if ((event.key === "ContextMenu" || (event.shiftKey && event.key === "F10") || event.key === "=") && column !== null) {
      const element = document.querySelector<HTMLElement>(`#row-${cursor} [data-col="${CSS.escape(column)}"]`);
      const cell = element && cellOf(element);
      if (cell) setMenu(cell);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const allSelected = useMemo(() => selected.size > 0 && (lines.grouped !== null || rows.every((r) => selected.has(r.run.run_id))), [selected, rows, lines.grouped]);
  return (
    <div className="tw" onPointerEnter={() => p.onHold(true)} onPointerLeave={() => p.onHold(false)}>
      {(state.loading || lines.grouped?.loading) && !state.fresh && <div className="progress" />}
      {state.held > 0 && !lines.grouped && <button type="button" className="newruns" onClick={p.onRelease}>{t.newRuns(state.held)}</button>}
      {!filled
        ? <div className="tnone" data-testid="runs-table"><Nothing {...p} /></div>
        : (
          <div ref={scroller} className="tscroll" role={lines.grouped ? "treegrid" : "grid"} aria-label={t.runsTable} aria-rowcount={lines.count + HEADER_ROWS} aria-colcount={columns.length + 2} aria-multiselectable="true" data-testid="runs-table"
            onClickCapture={altClick} onContextMenu={contextMenu} onKeyDown={keys}>
            <div className="tsize" style={{ width }}>
              <RunsHeader drawn={drawn} actions={actions} onSizing={setSizing} selectable={!lines.grouped}
                allSelected={allSelected} someSelected={selected.size > 0} onSelectAll={onSelectAll} />
              <div role="rowgroup" className="tbody" style={{ height: virtual.getTotalSize() }}>
                {items.map(({ index, start }) => {
                  const item = lines.at(index);
                  if (!item) return <div key={index} role="row" aria-rowindex={index + 3} className="tr skel" style={{ transform: `translateY(${start}px)` }}><div role="gridcell" className="skelcell"><span className="sk" /></div></div>;
                  const on = index === cursor;
                  const shared = { index, top: start, drawn, formats, baseline: base, cursor: on, at: on ? column : null, stop: index === Math.max(0, cursor), direction: main.direction, onCursor: p.onCursor };
                  if (item.kind === "group") return <GroupRow key={`g${item.group.id}`} {...shared} group={item.group} by={view.group} open={item.open} onToggle={p.onToggleGroup} />;
                  const id = item.row.run.run_id;
                  return (
                    <RunRow key={id} {...shared} row={item.row} slot={slotOf(p.slots, id)} selected={selected.has(id)} depth={item.group === null ? (p.nested.depth.get(id) ?? 0) : 1} childOf={p.nested.childOf.get(id) ?? null} from={p.from}
                      hot={hot === id} now={now} onSelect={pick} onDraw={p.onDraw} onHover={hover} />
                  );
                })}
              </div>
            </div>
          </div>
        )}
      {selected.size > 0 ? <SelectionBar {...p} /> : <TableFooter {...p} />}
      <CellMenu at={menu} entries={menu ? cellEntries(menu, view, main, change) : []} onClose={() => setMenu(null)} />
    </div>
  );
}
