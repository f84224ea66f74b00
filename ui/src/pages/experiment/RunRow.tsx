import { memo, useEffect, type CSSProperties, type MouseEvent } from "react";
import type { Row } from "../../api/table";
import { letGo } from "../../charts/hot";
import { Spark } from "../../charts/Spark";
import { metricValue, type Column } from "../../model/columns";
import { formatAgo, formatDelta, formatDuration, formatValue, middle } from "../../model/format";
import { durationOf, isRunning } from "../../model/status";
import { locale, t } from "../../i18n";
import { ParamText } from "../../parts/ParamText";
import { StatusGlyph } from "../../parts/Status";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/router";
import { Swatch } from "../../ui/Swatch";
import { runPath } from "../../url/routes";
import { heatOf, type Formats } from "./formats";

interface CellProps {
  row: Row;
  column: Column;
  formats: Formats;
  baseline: Row | null;
  slot: number | null;
  now: number;
  lower: (key: string) => boolean;
}

const MISSING = <span className="dim">–</span>;

function Metric({ row, column, formats }: CellProps) {
  const value = metricValue(row, column.key, column.aggregate);
  if (value === null) return MISSING;
  const text = formatValue(value, formats.digits.get(column.id) ?? { fraction: 4 }, locale);
  if (!Number.isFinite(value)) return <b className="bad">{text}</b>;
  const strength = heatOf(value, formats.heat.get(column.id));
  return <>{strength > 0 && <i className="pad" style={{ opacity: strength }} />}<span className="over">{text}</span></>;
}

const NOISE = 0.002;

function Delta({ row, column, baseline, lower }: CellProps) {
  if (baseline?.run.run_id === row.run.run_id) return <span className="muted">{t.base}</span>;
  const value = metricValue(row, column.key, "last");
  const base = baseline ? metricValue(baseline, column.key, "last") : null;
  if (value === null || !base || !Number.isFinite(value)) return MISSING;
  const ratio = (value - base) / Math.abs(base);
  const better = lower(column.key) ? ratio < -NOISE : ratio > NOISE;
  return <span className={better ? "good" : Math.abs(ratio) <= NOISE ? "muted" : "sec"}>{formatDelta(ratio, locale)}</span>;
}

function Cell(props: CellProps) {
  const { row, column, slot, now } = props;
  switch (column.kind) {
    case "metric":
      return <Metric {...props} />;
    case "delta":
      return <Delta {...props} />;
    case "spark":
      return (
        <>
          <Spark runId={row.run.run_id} metric={column.key} slot={slot} live={isRunning(row.run)} width={column.bare ? 76 : 54} />
          {!column.bare && <span className="sparkval"><Metric {...props} /></span>}
        </>
      );
    case "duration":
      return formatDuration(durationOf(row.run, now));
    case "started":
      return <span className="muted">{formatAgo(row.run.start_time, now, locale)}</span>;
    case "user":
      return row.run.user ? <span className="ell">{row.run.user}</span> : MISSING;
    case "param":
      return row.texts[column.id] ? <ParamText text={row.texts[column.id]!} /> : MISSING;
    default:
      return row.texts[column.id] ? <span className="ell">{row.texts[column.id]}</span> : MISSING;
  }
}

export interface RunRowProps {
  row: Row;
  index: number;
  top: number;
  columns: Column[];
  firsts: ReadonlySet<string>;
  slot: number | null;
  selected: boolean;
  cursor: boolean;
  /** True for the row that Tab leads to. */
  stop: boolean;
  depth: number;
  childOf: string | null;
  from: string;
  hot: boolean;
  baseline: Row | null;
  formats: Formats;
  now: number;
  lower: (key: string) => boolean;
  onSelect: (index: number, on: boolean, range: boolean) => void;
  onDraw: (id: string) => void;
  onCursor: (index: number) => void;
  onHover: (id: string | null) => void;
}

const differing = (row: Row, column: Column, baseline: Row | null) =>
  baseline !== null && baseline !== row && column.kind === "param" && (row.texts[column.id] ?? null) !== (baseline.texts[column.id] ?? null);

/** One run in the table. Its two first cells stay in view while the others scroll sideways. */
export const RunRow = memo(function RunRow(props: RunRowProps) {
  const { row, index, columns, slot, selected, baseline } = props;
  const { run } = row;
  const id = run.run_id;
  const check = (event: MouseEvent<HTMLInputElement>) => props.onSelect(index, event.currentTarget.checked, event.shiftKey);
  const inside = props.stop ? 0 : -1;
  useEffect(() => () => letGo(id), [id]);
  const classes = `tr${selected ? " sel" : ""}${props.cursor ? " cur" : ""}${props.hot ? " hot" : ""}`;
  return (
    <div id={`row-${id}`} role="row" tabIndex={inside} onFocus={(e) => e.target === e.currentTarget && props.onCursor(index)} aria-rowindex={index + 3} aria-selected={selected} className={classes} style={{ transform: `translateY(${props.top}px)` }}
      data-testid="run-row" data-run-id={id} onClick={() => props.onCursor(index)} onPointerEnter={() => props.onHover(id)} onPointerLeave={() => props.onHover(null)}>
      <div role="gridcell" className="td p0">
        <input type="checkbox" className="cb" tabIndex={inside} checked={selected} aria-label={t.selectRun(run.name)} onClick={check} onChange={() => undefined} />
        <button type="button" className="swbtn" tabIndex={inside} aria-pressed={slot !== null} aria-label={slot === null ? t.drawRun(run.name) : t.hideRun(run.name)} title={slot === null ? t.drawRun(run.name) : t.hideRun(run.name)} onClick={() => props.onDraw(id)}><Swatch slot={slot} /></button>
      </div>
      <div role="rowheader" className="td p1" style={props.depth ? { "--depth": props.depth } as CSSProperties : undefined}>
        {props.depth > 0 && <i className="elbow" aria-hidden="true" />}
        <StatusGlyph status={run.status} />
        <Link to={runPath(run.experiment_id, id)} from={props.from} tabIndex={inside} className="rname" title={run.name}>{middle(run.name)}</Link>
        {props.childOf && <span className="childof ell" title={t.childOf(props.childOf)}>{t.childOf(props.childOf)}</span>}
        {baseline === row && <span className="muted" title={t.baseline}><Icon name="pin" small /></span>}
      </div>
      {columns.map((column) => (
        <div key={column.id} role="gridcell" className={`td${column.left ? " l" : ""}${props.firsts.has(column.id) ? " gl" : ""}${differing(row, column, baseline) ? " diff" : ""}`} style={{ width: column.width }}
          title={column.kind === "tag" || column.kind === "param" ? (row.texts[column.id] ?? undefined) : undefined}>
          <Cell row={row} column={column} formats={props.formats} baseline={baseline} slot={slot} now={props.now} lower={props.lower} />
        </div>
      ))}
    </div>
  );
});
