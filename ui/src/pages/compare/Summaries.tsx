import { useMemo, useRef } from "react";
import type { Row } from "../../api/table";
import { hotRun } from "../../charts/hot";
import { axisOf, boxes, marksOf, placeOn, valueOf } from "../../model/compare";
import { formatCount, formatNumber } from "../../model/format";
import { locale, t } from "../../i18n";
import { useSize, useStore } from "../../ui/hooks";
import { Link } from "../../ui/router";
import { runPath } from "../../url/routes";
import type { Colours } from "./colours";
import { writeValue } from "./Parallel";

const LABEL = 130;
const LINE = 30;

/** The target's spread by the values of a parameter: quartiles, whiskers, and what lies beyond. */
export function BoxPlot({ rows, by, target }: { rows: Row[]; by: string; target: string }) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const found = useMemo(() => boxes(rows, by, target, writeValue), [rows, by, target]);
  const axis = useMemo(() => axisOf(`metrics.${target}`, rows), [rows, target]);
  const x = (value: number) => LABEL + 10 + (width - LABEL - 80) * (placeOn(axis, value) ?? 0);
  const height = found.length * LINE + 26;
  return (
    <div ref={box} className="boxplot" style={{ minHeight: height }} data-testid="box-plot">
      {width > 0 && found.length > 0 && (
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={found.map((b) => t.boxOf(b.label, b.count, formatNumber(b.median, locale))).join("; ")}>
          {marksOf(axis, Math.max(3, Math.floor(width / 110))).map(({ place, value }) => <g key={String(value)} className="smark"><line x1={x(value as number)} x2={x(value as number)} y1={0} y2={height - 20} /><text x={LABEL + 10 + (width - LABEL - 80) * place} y={height - 6} textAnchor="middle">{writeValue(value)}</text></g>)}
          {found.map((b, i) => (
            <g key={b.label} transform={`translate(0 ${i * LINE + LINE / 2})`} className="sbox">
              <text x={LABEL} dy="4" textAnchor="end">{b.label.length > 20 ? `${b.label.slice(0, 19)}…` : b.label}<title>{b.label}</title></text>
              <line x1={x(b.low)} x2={x(b.high)} /><line x1={x(b.low)} x2={x(b.low)} y1={-5} y2={5} /><line x1={x(b.high)} x2={x(b.high)} y1={-5} y2={5} />
              <rect x={x(b.q1)} width={Math.max(2, x(b.q3) - x(b.q1))} y={-9} height={18} rx={2} /><line className="mid-line" x1={x(b.median)} x2={x(b.median)} y1={-9} y2={9} />
              {b.outliers.map((v, k) => <circle key={k} cx={x(v)} r="2.4" />)}
              <text className="muted-text" x={width - 8} dy="4" textAnchor="end">{t.ofN(formatCount(b.count, locale)).replace(/^\S+ /, "n ")}</text>
              <title>{t.boxOf(b.label, b.count, formatNumber(b.median, locale))}</title>
            </g>
          ))}
        </svg>
      )}
      {found.length === 0 && <p className="muted none">{t.noValues}</p>}
    </div>
  );
}

const MOST_BARS = 100;

/** The target of every run, best first. */
export function Bars({ rows, target, lower, colours }: { rows: Row[]; target: string; lower: boolean; colours: Colours }) {
  const hot = useStore(hotRun);
  const valued = rows.flatMap((row) => {
    const value = valueOf(row, `metrics.${target}`);
    return typeof value === "number" ? [{ row, value }] : [];
  }).sort((a, b) => (lower ? a.value - b.value : b.value - a.value));
  const most = Math.max(...valued.map(({ value }) => Math.abs(value)), 1e-300);
  if (!valued.length) return <p className="muted none">{t.noValues}</p>;
  return (
    <div className="bars" data-testid="bars">
      {valued.slice(0, MOST_BARS).map(({ row, value }) => (
        <div key={row.run.run_id} className={`barline${hot === row.run.run_id ? " hot" : ""}`} onPointerEnter={() => hotRun.set(row.run.run_id)} onPointerLeave={() => hotRun.set(null)}>
          <Link className="ell" to={runPath(row.run.experiment_id, row.run.run_id)} title={row.run.name}>{row.run.name}</Link>
          <span className="bartrack"><i style={{ width: `${(Math.abs(value) / most) * 100}%`, background: colours.of(row) }} /></span>
          <span className="num">{formatNumber(value, locale)}</span>
        </div>
      ))}
      {valued.length > MOST_BARS && <p className="muted none">{t.barOf(formatCount(MOST_BARS, locale), formatCount(valued.length, locale))}</p>}
    </div>
  );
}
