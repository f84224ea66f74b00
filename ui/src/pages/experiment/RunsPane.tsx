import { defaultRangeExtractor, useVirtualizer, type Range } from "@tanstack/react-virtual";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { setExperimentTag } from "../../api/experiments";
import { hotRun } from "../../charts/hot";
import { headerGroups, type Column } from "../../model/columns";
import { slotOf } from "../../model/slots";
import { t } from "../../i18n";
import { Button } from "../../ui/Button";
import { useLatest, useMedia, useNow, useStore } from "../../ui/hooks";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import { complain } from "../../ui/toast";
import { formatsOf } from "./formats";
import { RunRow } from "./RunRow";
import { RunsHeader } from "./RunsHeader";
import { SelectionBar } from "./SelectionBar";
import { TableFooter } from "./TableFooter";
import type { TableProps } from "./tableTypes";
import { MAIN_TAG } from "./useExperiment";

const PINNED = 62 + 192;
const HEADER_ROWS = 2;

/** Why the table is empty. */
function Nothing(p: TableProps) {
  if (p.state.error && p.state.fresh) return <ErrorBox error={p.state.error} onRetry={p.onChanged} />;
  if (p.state.fresh) return <SkeletonRows rows={14} />;
  if (p.filtered) return <EmptyState title={t.noMatch}><p>{t.noMatchText}</p><Button onClick={p.onClearFilter}>{t.clearFilter}</Button></EmptyState>;
  if (p.deleted) return <EmptyState title={t.noDeletedRuns}><Button onClick={p.onShowActive}>{t.showActive}</Button></EmptyState>;
  return <EmptyState title={t.noRunsHere} />;
}

/** The runs as a grid: rows are virtual and come page by page, the header and the first two cells stay in view. */
export function RunsPane(p: TableProps) {
  const { rows, columns, selected, onNeed, onSelect, state } = p;
  const scroller = useRef<HTMLDivElement>(null);
  const anchor = useRef(0);
  const coarse = useMedia("(pointer: coarse)");
  const height = coarse ? 44 : 28;
  const now = useNow();
  const hot = useStore(hotRun);
  const client = useQueryClient();
  const count = state.next ? Math.max(rows.length, state.total) : rows.length;
  const { cursor } = p;
  // The row with the focus stays mounted wherever the table is scrolled to.
  const extract = useCallback((range: Range) => {
    const seen = defaultRangeExtractor(range);
    return cursor < 0 || cursor >= range.count || seen.includes(cursor) ? seen : [...seen, cursor].sort((a, b) => a - b);
  }, [cursor]);
  const virtual = useVirtualizer({ rangeExtractor: extract, count, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 10, scrollPaddingStart: 52, getItemKey: (i) => rows[i]?.run.run_id ?? i });
  const items = virtual.getVirtualItems();
  const last = virtual.range?.endIndex ?? 0;
  useEffect(() => onNeed(last), [last, onNeed, rows.length]);
  const cursorId = useLatest(rows[cursor]?.run.run_id);
  useEffect(() => {
    if (cursor >= 0) virtual.scrollToIndex(cursor, { align: "auto" });
  }, [cursor, virtual]);
  // The focus follows the cursor, unless it is in a control of that very row or in a field.
  useEffect(() => {
    const row = cursor < 0 ? null : document.getElementById(`row-${cursorId.current}`);
    if (row && !row.contains(document.activeElement) && !document.activeElement?.closest("input:not([type=checkbox]), textarea, dialog, .pop")) row.focus({ preventScroll: true });
  }, [cursor, cursorId]);
  useEffect(() => () => hotRun.set(null), []);
  useEffect(() => virtual.measure(), [height, virtual]);

  const baseline = useMemo(() => rows.find((r) => r.run.run_id === p.base) ?? null, [rows, p.base]);
  const formats = useMemo(() => formatsOf(columns, rows, p.main.key, p.main.lower), [columns, rows, p.main]);
  const firsts = useMemo(() => new Set(headerGroups(columns).map((g) => g.columns[0]!.id)), [columns]);
  const width = PINNED + columns.reduce((sum, c) => sum + c.width, 0);
  const pick = useCallback((index: number, on: boolean, range: boolean) => {
    const [from, to] = range ? [Math.min(anchor.current, index), Math.max(anchor.current, index)] : [index, index];
    onSelect(rows.slice(from, to + 1).map((r) => r.run.run_id), on);
    anchor.current = index;
  }, [rows, onSelect]);
  const hover = useCallback((id: string | null) => hotRun.set(id), []);
  const ids = () => columns.filter((c) => c.kind !== "delta").map((c) => c.id);
  const setMain = (key: string) => setExperimentTag(p.experimentId, MAIN_TAG, key).then(() => client.invalidateQueries({ queryKey: ["experiments"] }), complain);
  const descFirst = (column: Column) => (column.kind === "metric" || column.kind === "spark" ? !p.main.lower(column.key) : column.kind === "started");

  return (
    <div className="tw" onPointerEnter={() => p.onHold(true)} onPointerLeave={() => p.onHold(false)}>
      {state.loading && !state.fresh && <div className="progress" />}
      {state.held > 0 && <button type="button" className="newruns" onClick={p.onRelease}>{t.newRuns(state.held)}</button>}
      {rows.length === 0
        ? <div className="tnone" data-testid="runs-table"><Nothing {...p} /></div>
        : (
          <div ref={scroller} className="tscroll" role="grid" aria-label={t.runsTable} aria-rowcount={state.total + HEADER_ROWS} aria-colcount={columns.length + 2} aria-multiselectable="true" data-testid="runs-table">
            <div className="tsize" style={{ width }}>
              <RunsHeader columns={columns} firsts={firsts} sort={p.sort} main={p.main.key} onSort={p.onSort} descFirst={descFirst} onMain={(key) => void setMain(key)}
                allSelected={selected.size > 0 && rows.every((r) => selected.has(r.run.run_id))} someSelected={selected.size > 0} onSelectAll={(on) => onSelect(rows.map((r) => r.run.run_id), on)}
                onHide={(id) => p.onColumns(ids().filter((c) => c !== id))} onReplace={(id, next) => p.onColumns(ids().map((c) => (c === id ? next : c)))} />
              <div role="rowgroup" className="tbody" style={{ height: virtual.getTotalSize() }}>
                {items.map(({ index, start }) => {
                  const row = rows[index];
                  if (!row) return <div key={index} className="tr skel" style={{ transform: `translateY(${start}px)` }}><span className="sk" /></div>;
                  const id = row.run.run_id;
                  return (
                    <RunRow key={id} row={row} index={index} top={start} columns={columns} firsts={firsts} slot={slotOf(p.slots, id)} selected={selected.has(id)} cursor={index === p.cursor} stop={index === Math.max(0, p.cursor)} depth={p.nested.depth.get(id) ?? 0} childOf={p.nested.childOf.get(id) ?? null} from={p.from} hot={hot === id}
                      baseline={baseline} formats={formats} now={now} lower={p.main.lower} onSelect={pick} onDraw={p.onDraw} onCursor={p.onCursor} onHover={hover} />
                  );
                })}
              </div>
            </div>
          </div>
        )}
      {selected.size > 0 ? <SelectionBar {...p} /> : <TableFooter {...p} />}
    </div>
  );
}
