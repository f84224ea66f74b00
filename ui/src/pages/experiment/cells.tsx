import type { Row } from "../../api/table";
import type { Group, TextCell } from "../../api/tableGroups";
import { Spark } from "../../charts/Spark";
import { metricValue, type Column } from "../../model/columns";
import { changeOf } from "../../model/criterion";
import { formatAgo, formatCount, formatDelta, formatDuration, formatValue } from "../../model/format";
import { durationOf, isRunning } from "../../model/status";
import { locale, t } from "../../i18n";
import { ParamText } from "../../parts/ParamText";
import { asNumber, heatOf, type Formats } from "./formats";
import { measureOf, textOf } from "./useLines";

export interface CellProps {
  row: Row;
  column: Column;
  formats: Formats;
  baseline: Row | null;
  slot: number | null;
  now: number;
  /** Whether lower is better; null where nothing tells. */
  direction: (key: string) => boolean | null;
}

const MISSING = <span className="dim">–</span>;
const WAITING = <span className="sk cellsk" />;
const FALLBACK = { fraction: 4 };

function Padded({ strength, children }: { strength: number; children: React.ReactNode }) {
  return <>{strength > 0 && <i className="pad" style={{ opacity: strength }} />}<span className="over">{children}</span></>;
}

function Metric({ row, column, formats, direction }: CellProps) {
  const value = metricValue(row, column.key, column.aggregate, direction(column.key) ?? true);
  if (value === null) return row.have && !row.have.has(`metrics.${column.key}`) ? WAITING : MISSING;
  const text = formatValue(value, formats.digits.get(column.id) ?? FALLBACK, locale);
  if (!Number.isFinite(value)) return <b className="bad">{text}</b>;
  return <Padded strength={heatOf(value, formats.heat.get(column.id))}>{text}</Padded>;
}

/** A change in per cent: better in green, within noise grey. */
export function Change({ value, base, lower }: { value: number | null; base: number | null; lower: boolean | null }) {
  const change = changeOf(value, base, lower);
  if (!change) return MISSING;
  return <span className={change.better ? "good" : change.noise ? "muted" : "sec"}>{formatDelta(change.ratio, locale)}</span>;
}

function Delta({ row, column, baseline, direction }: CellProps) {
  if (baseline?.run.run_id === row.run.run_id) return <span className="muted">{t.base}</span>;
  const lower = direction(column.key);
  const down = lower ?? true;
  return <Change value={metricValue(row, column.key, column.aggregate, down)} base={baseline ? metricValue(baseline, column.key, column.aggregate, down) : null} lower={lower} />;
}

/** What one run shows in one column. */
export function Cell(props: CellProps) {
  const { row, column, slot, now, formats } = props;
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
    default: {
      const text = row.texts[column.id];
      if (!text) return row.have && !row.have.has(column.id) ? WAITING : MISSING;
      if (column.kind !== "param") return <span className="ell">{text}</span>;
      const strength = heatOf(asNumber(text), formats.heat.get(column.id));
      return strength > 0 ? <Padded strength={strength}><ParamText text={text} className="" /></Padded> : <ParamText text={text} />;
    }
  }
}

export interface GroupCellProps {
  group: Group;
  by: string[];
  column: Column;
  formats: Formats;
  baseline: Row | null;
  direction: (key: string) => boolean | null;
}

/** What the runs of a group have in a column of texts: the value that they share, else how many there are. */
function Texts({ cell, param }: { cell: TextCell | undefined; param: boolean }) {
  if (!cell) return WAITING;
  const { distinct, missing, values } = cell;
  if (!distinct) return MISSING;
  if (distinct === 1 && !missing) return param ? <ParamText text={values[0]!} /> : <span className="ell" title={values[0]}>{values[0]}</span>;
  const more = distinct - values.length;
  const about = [...values, ...(more > 0 ? [t.andMore(more)] : []), ...(missing ? [t.missingIn(missing)] : [])].join("\n");
  return <span className="muted ell" title={about}>{t.nDifferent(distinct)}<span className="vh">: {about}</span></span>;
}

/** What a group shows in one column: mean and deviation of a metric, or the value that all its runs share. */
export function GroupCellView({ group, by, column, formats, baseline, direction }: GroupCellProps) {
  const at = by.indexOf(column.id);
  if (at >= 0) return group.values[at] === null ? <span className="muted">{t.notSet}</span> : <ParamText text={group.values[at]!} />;
  const named = textOf(column);
  if (named !== null) return <Texts cell={group.texts[named]} param={column.kind === "param"} />;
  if (column.kind !== "metric" && column.kind !== "delta" && column.kind !== "spark") return null;
  const lower = direction(column.key);
  const down = lower ?? true;
  const cell = group.metrics[measureOf(column.key, column.aggregate, down)];
  if (!cell) return WAITING;
  if (column.kind === "delta") return <Change value={cell.mean} base={baseline ? metricValue(baseline, column.key, column.aggregate, down) : null} lower={lower} />;
  if (cell.mean === null) return MISSING;
  const digits = formats.digits.get(column.id) ?? FALLBACK;
  const text = (value: number | null) => formatValue(value, digits, locale);
  const about = `${t.mean} ${text(cell.mean)}, ± ${text(cell.std)}, ${t.least} ${text(cell.min)}, ${t.median} ${text(cell.median)}, ${t.greatest} ${text(cell.max)}, n ${formatCount(cell.count, locale)}`;
  return (
    <span className="gmean" title={about}>
      <b>{text(cell.mean)}</b>
      {cell.std !== null && <small className="muted">± {text(cell.std)}</small>}
      <span className="grange muted">{text(cell.min)} … {text(cell.max)}</span>
      <span className="vh">{about}</span>
    </span>
  );
}
