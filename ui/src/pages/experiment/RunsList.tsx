import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { Row } from "../../api/table";
import type { Group } from "../../api/tableGroups";
import { Spark } from "../../charts/Spark";
import { metricValue, wireColumn, type Column } from "../../model/columns";
import { digitsFor, formatAgo, formatDelta, formatParam, formatValue, middle, type Digits } from "../../model/format";
import { slotOf } from "../../model/slots";
import { isRunning } from "../../model/status";
import { locale, t } from "../../i18n";
import { StatusGlyph } from "../../parts/Status";
import { useNow } from "../../ui/hooks";
import { Link } from "../../ui/router";
import { Icon } from "../../ui/Icon";
import { Swatch } from "../../ui/Swatch";
import { runPath } from "../../url/routes";
import { Nothing } from "./Nothing";
import { groupName } from "./RunRow";
import { SelectionBar } from "./SelectionBar";
import type { TableProps } from "./tableTypes";
import { measureOf } from "./useLines";

const ROW = 56;

interface GroupProps {
  group: Group;
  open: boolean;
  /** The metric that is shown of it. */
  column: Column | undefined;
  lower: boolean;
  digits: Digits;
  onToggle: (group: Group) => void;
}

/** A group of runs: its values, how many they are, mean and deviation of the metric. A press opens it. */
function PhoneGroup({ group, open, column, lower, digits, onToggle }: GroupProps) {
  const name = groupName(group);
  const cell = column && group.metrics[measureOf(column.key, column.aggregate, lower)];
  return (
    <button type="button" className="mgroup" aria-expanded={open} title={open ? t.closeGroup(name) : t.openGroup(name)} disabled={group.filter === null} onClick={() => onToggle(group)}>
      <Icon name={open ? "down" : "right"} small />
      <span className="mname"><b>{name}</b><span className="muted num">{t.runs(group.runs)}</span></span>
      <span className="mvalue num">
        {cell && <b>{formatValue(cell.mean, digits, locale)}</b>}
        {cell && cell.std !== null && <span className="muted">± {formatValue(cell.std, digits, locale)}</span>}
      </span>
    </button>
  );
}

/** The runs on a phone, or the groups with the runs of those that are open: two lines each, scrolling with the page. */
export function RunsList(p: TableProps) {
  const { rows, lines, state, main } = p;
  const list = useRef<HTMLDivElement>(null);
  const now = useNow();
  const virtual = useVirtualizer({ count: lines.count, getScrollElement: () => list.current?.closest<HTMLElement>(".phone") ?? null, estimateSize: () => ROW, overscan: 8, scrollMargin: list.current?.offsetTop ?? 0 });
  const items = virtual.getVirtualItems();
  const last = items.length ? items[items.length - 1]!.index : 0;
  const first = items[0]?.index ?? 0;
  const metric = p.columns.find((c) => c.kind === "metric" && c.key === main.key) ?? p.columns.find((c) => c.kind === "metric");
  const params = p.columns.filter((c) => c.kind === "param").slice(0, 2);
  const wires = [...(metric ? [metric] : []), ...params].map((c) => wireColumn(c)!).join("~");
  const need = lines.need;
  useEffect(() => need(first, last + 1, wires ? wires.split("~") : []), [first, last, need, wires, state.loading]);
  const valueOf = useCallback((row: Row) => (main.key ? metricValue(row, main.key, main.judged(main.key), main.lower(main.key)) : null), [main]);
  const digits = useMemo(() => digitsFor(rows.map(valueOf)), [rows, valueOf]);
  const judged = main.key ? main.judged(main.key) : "last";
  const baseline = p.base;
  const base = baseline && valueOf(baseline);
  if (!lines.count) return <Nothing {...p} />;
  return (
    <div ref={list} className="mlist" data-testid="runs-table" role="list" aria-label={t.runsTable} style={{ height: virtual.getTotalSize() }}>
      {items.map(({ index, start }) => {
        const item = lines.at(index);
        const place = { transform: `translateY(${start - virtual.options.scrollMargin}px)` };
        if (!item) return <div key={index} role="listitem" className="mrow" style={place}><span className="sk" /></div>;
        if (item.kind === "group") return <div key={`g${item.group.id}`} role="listitem" className="mrow mgrow" data-testid="group-row" style={place}><PhoneGroup group={item.group} open={item.open} column={metric} lower={metric === undefined || main.lower(metric.key)} digits={digits} onToggle={p.onToggleGroup} /></div>;
        const { row } = item;
        const { run, texts } = row;
        const value = valueOf(row);
        const slot = slotOf(p.slots, run.run_id);
        const parent = p.nested.childOf.get(run.run_id);
        const about = [parent ? t.childOf(parent) : "", ...params.map((c) => (texts[c.id] ? `${c.name} ${formatParam(texts[c.id]!)}` : "")), formatAgo(run.start_time, now, locale)].filter(Boolean).join(" · ");
        const inside = item.group !== null || p.nested.depth.has(run.run_id);
        return (
          <div key={run.run_id} role="listitem" className={`mrow${inside ? " child" : ""}${p.selected.has(run.run_id) ? " sel" : ""}`} data-testid="run-row" data-run-id={run.run_id} style={place}>
            <button type="button" className="mpick" aria-pressed={p.selected.has(run.run_id)} aria-label={t.selectRun(run.name)} onClick={() => p.onSelect([run.run_id], !p.selected.has(run.run_id))}>
              {slot === null ? <StatusGlyph status={run.status} /> : <Swatch slot={slot} />}
            </button>
            <Link to={runPath(run.experiment_id, run.run_id)} from={p.from} className="mname">
              <b>{middle(run.name, 26)}</b>
              <span className="ell muted">{about}</span>
            </Link>
            {main.trainLoss && <Spark runId={run.run_id} metric={main.trainLoss} slot={slot} live={isRunning(run)} width={70} height={26} />}
            <span className="mvalue num">
              {value !== null && judged !== "last" && <span className="vh">{t.best} </span>}
              <b className={value !== null && !Number.isFinite(value) ? "bad" : ""}>{formatValue(value, digits, locale)}</b>
              {!base && value !== null && judged !== "last" && <span className="muted" aria-hidden="true">{t.best}</span>}
              {base && value !== null && <span className="muted">{baseline?.run.run_id === run.run_id ? t.base : formatDelta((value - base) / Math.abs(base), locale)}</span>}
            </span>
          </div>
        );
      })}
      {p.selected.size > 0 && <div className="mbar"><SelectionBar {...p} /></div>}
    </div>
  );
}
