import { useRef } from "react";
import type { Row } from "../../api/table";
import { hotRun } from "../../charts/hot";
import { axisName, axisOf, marksOf, placeOn, valueOf } from "../../model/compare";
import { t } from "../../i18n";
import { useSize, useStore } from "../../ui/hooks";
import { navigate } from "../../ui/router";
import { runPath } from "../../url/routes";
import type { Colours } from "./colours";
import { writeValue } from "./Parallel";

const LEFT = 54;
const RIGHT = 20;
const TOP = 12;
const BOTTOM = 30;

/** The second code of a run's slot: circle, square, triangle, diamond, cross, ring. */
export const MARKERS = ["M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", "M-3.6 -3.6h7.2v7.2h-7.2z", "M0 -4.4l4.4 7.8h-8.8z", "M0 -5l4.6 5l-4.6 5l-4.6 -5z", "M-4 -1.3h2.7v-2.7h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7z", "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0zM-2 0a2 2 0 1 1 4 0a2 2 0 1 1 -4 0z"];

/** Two columns against each other, a mark for each run; a click opens it. */
export function Scatter({ rows, x, y, colours, height }: { rows: Row[]; x: string; y: string; colours: Colours; height: number }) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const hot = useStore(hotRun);
  const [xAxis, yAxis] = [axisOf(x, rows), axisOf(y, rows)];
  const toX = (place: number) => LEFT + 8 + (width - LEFT - RIGHT - 8) * place;
  const toY = (place: number) => TOP + (height - TOP - BOTTOM - 8) * (1 - place);
  const points = rows.flatMap((row) => {
    const [px, py] = [placeOn(xAxis, valueOf(row, x)), placeOn(yAxis, valueOf(row, y))];
    return px === null || py === null ? [] : [{ row, at: [toX(px), toY(py)] as const }];
  });
  const near = points.find(({ row }) => row.run.run_id === hot);
  return (
    <div ref={box} className="scatter" style={{ height }} data-testid="scatter">
      {width > 0 && (
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${axisName(x)}, ${axisName(y)}: ${t.runs(points.length)}`} onPointerLeave={() => hotRun.set(null)}>
          {marksOf(yAxis).map(({ place, value }) => <g key={String(value)} transform={`translate(0 ${toY(place)})`} className="smark"><line x1={LEFT} x2={width - RIGHT} /><text x={LEFT - 6} dy="3.5" textAnchor="end">{writeValue(value).slice(0, 8)}</text></g>)}
          <line className="sbase" x1={LEFT} x2={width - RIGHT} y1={height - BOTTOM} y2={height - BOTTOM} />
          {marksOf(xAxis, Math.max(3, Math.floor(width / 90))).map(({ place, value }) => <text key={String(value)} className="stext" x={toX(place)} y={height - BOTTOM + 15} textAnchor="middle">{writeValue(value).slice(0, 12)}</text>)}
          {points.map(({ row, at }) => {
            const slot = colours.slot(row.run.run_id);
            return (
              <path key={row.run.run_id} data-testid="scatter-point" data-run={row.run.run_id} d={MARKERS[slot === null ? 0 : Math.floor(slot / 10) % MARKERS.length]} transform={`translate(${at[0].toFixed(1)} ${at[1].toFixed(1)})`} className={`spoint${hot !== null && hot !== row.run.run_id && near ? " dim" : ""}`} style={{ fill: colours.of(row) }}
                onPointerEnter={() => hotRun.set(row.run.run_id)} onClick={() => navigate(runPath(row.run.experiment_id, row.run.run_id))}><title>{t.pointOf(row.run.name, writeValue(valueOf(row, x)), writeValue(valueOf(row, y)))}</title></path>
            );
          })}
          {near && <g transform={`translate(${near.at[0]} ${near.at[1]})`} className="slabel" pointerEvents="none"><circle r="7" /><text x={near.at[0] > width * 0.65 ? -11 : 11} dy="4" textAnchor={near.at[0] > width * 0.65 ? "end" : "start"}>{near.row.run.name}</text></g>}
        </svg>
      )}
      {width > 0 && points.length === 0 && <div className="plotnote muted">{t.noValues}</div>}
    </div>
  );
}
