import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { Row } from "../../api/table";
import { Spark } from "../../charts/Spark";
import { metricValue } from "../../model/columns";
import { digitsFor, formatAgo, formatDelta, formatParam, formatValue, middle } from "../../model/format";
import { slotOf } from "../../model/slots";
import { isRunning } from "../../model/status";
import { locale, t } from "../../i18n";
import { StatusGlyph } from "../../parts/Status";
import { useNow } from "../../ui/hooks";
import { Link } from "../../ui/router";
import { EmptyState, SkeletonRows } from "../../ui/States";
import { Swatch } from "../../ui/Swatch";
import { runPath } from "../../url/routes";
import { SelectionBar } from "./SelectionBar";
import type { TableProps } from "./tableTypes";

const ROW = 56;

/** The runs on a phone: two lines each, scrolling with the page. */
export function RunsList(p: TableProps) {
  const { rows, lines, state, main } = p;
  const list = useRef<HTMLDivElement>(null);
  const now = useNow();
  const virtual = useVirtualizer({ count: state.total || rows.length, getScrollElement: () => list.current?.closest<HTMLElement>(".phone") ?? null, estimateSize: () => ROW, overscan: 8, scrollMargin: list.current?.offsetTop ?? 0 });
  const items = virtual.getVirtualItems();
  const last = items.length ? items[items.length - 1]!.index : 0;
  const first = items[0]?.index ?? 0;
  const need = lines.need;
  useEffect(() => need(first, last + 1, []), [first, last, need, state.loading]);
  const valueOf = useCallback((row: Row) => (main.key ? metricValue(row, main.key, main.judged(main.key), main.lower(main.key)) : null), [main]);
  const digits = useMemo(() => digitsFor(rows.map(valueOf)), [rows, valueOf]);
  const params = p.columns.filter((c) => c.kind === "param").slice(0, 2);
  const baseline = p.base;
  const base = baseline && valueOf(baseline);
  if (!rows.length) return state.fresh ? <SkeletonRows /> : <EmptyState title={p.view.q ? t.noMatch : t.noRunsHere} />;
  return (
    <div ref={list} className="mlist" data-testid="runs-table" role="list" aria-label={t.runsTable} style={{ height: virtual.getTotalSize() }}>
      {items.map(({ index, start }) => {
        const item = lines.grouped ? undefined : lines.at(index);
        const row = item?.kind === "run" ? item.row : rows[index];
        if (!row) return <div key={index} role="listitem" className="mrow" style={{ transform: `translateY(${start - virtual.options.scrollMargin}px)` }}><span className="sk" /></div>;
        const { run, texts } = row;
        const value = valueOf(row);
        const slot = slotOf(p.slots, run.run_id);
        const parent = p.nested.childOf.get(run.run_id);
        const about = [parent ? t.childOf(parent) : "", ...params.map((c) => (texts[c.id] ? `${c.name} ${formatParam(texts[c.id]!)}` : "")), formatAgo(run.start_time, now, locale)].filter(Boolean).join(" · ");
        return (
          <div key={run.run_id} role="listitem" className={`mrow${p.nested.depth.has(run.run_id) ? " child" : ""}${p.selected.has(run.run_id) ? " sel" : ""}`} data-testid="run-row" data-run-id={run.run_id} style={{ transform: `translateY(${start - virtual.options.scrollMargin}px)` }}>
            <button type="button" className="mpick" aria-pressed={p.selected.has(run.run_id)} aria-label={t.selectRun(run.name)} onClick={() => p.onSelect([run.run_id], !p.selected.has(run.run_id))}>
              {slot === null ? <StatusGlyph status={run.status} /> : <Swatch slot={slot} />}
            </button>
            <Link to={runPath(run.experiment_id, run.run_id)} from={p.from} className="mname">
              <b>{middle(run.name, 26)}</b>
              <span className="ell muted">{about}</span>
            </Link>
            {main.trainLoss && <Spark runId={run.run_id} metric={main.trainLoss} slot={slot} live={isRunning(run)} width={70} height={26} />}
            <span className="mvalue num">
              <b className={value !== null && !Number.isFinite(value) ? "bad" : ""}>{formatValue(value, digits, locale)}</b>
              {base && value !== null && <span className="muted">{baseline?.run.run_id === run.run_id ? t.base : formatDelta((value - base) / Math.abs(base), locale)}</span>}
            </span>
          </div>
        );
      })}
      {p.selected.size > 0 && <div className="mbar"><SelectionBar {...p} /></div>}
    </div>
  );
}
