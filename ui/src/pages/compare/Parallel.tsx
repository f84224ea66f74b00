import { memo, useMemo, useRef, useState, type PointerEvent } from "react";
import type { Row } from "../../api/table";
import { hotRun } from "../../charts/hot";
import { axisName, axisOf, marksOf, numberAt, placeOn, quantile, valueOf, type Axis, type Value } from "../../model/compare";
import { exponential, tellApart } from "../../model/format";
import { locale, t } from "../../i18n";
import { useSize, useStore } from "../../ui/hooks";
import { MenuButton, type MenuEntry } from "../../ui/Menu";
import type { Brush } from "../../url/compare";
import type { Colours } from "./colours";

export const writeValue = (value: Value): string => (value === null ? "–" : typeof value === "string" ? value : value !== 0 && (Math.abs(value) <= 1e-3 || Math.abs(value) >= 1e6) ? exponential(value, locale) : Number(value.toPrecision(4)).toLocaleString(locale, { maximumSignificantDigits: 4, useGrouping: false }));

interface Props {
  rows: Row[];
  /** Runs inside the brush; the others are grey. */
  chosen: Row[];
  axes: string[];
  /** All columns that could be an axis. */
  offered: string[];
  target: string;
  lower: boolean;
  brush: Brush[];
  colours: Colours;
  height: number;
  onAxes: (axes: string[]) => void;
  onBrush: (brush: Brush[]) => void;
}

const TOP = 40;
const BOTTOM = 14;
const SIDE = 76;
const DRAG_LEAST = 4;
const AWAY = 46;
/** So many lines lie over one another; each lets the others shine through. */
const MANY = 200;

/** A run's way over the axes; where it has no value the line stops. */
function pathOf(row: Row, axes: readonly Axis[], xs: readonly number[], y: (place: number) => number): string {
  let path = "";
  let before: [number, number] | null = null;
  axes.forEach((axis, i) => {
    const place = placeOn(axis, valueOf(row, axis.column));
    if (place === null) {
      before = null;
      return;
    }
    const [x, at] = [xs[i]!, y(place)];
    const mid = before ? (before[0] + x) / 2 : 0;
    path += before ? `C${mid.toFixed(1)} ${before[1].toFixed(1)} ${mid.toFixed(1)} ${at.toFixed(1)} ${x.toFixed(1)} ${at.toFixed(1)}` : `M${x.toFixed(1)} ${at.toFixed(1)}`;
    before = [x, at];
  });
  return path;
}

const Line = memo(function Line({ id, path, colour, on, wide }: { id: string; path: string; colour: string; on: boolean; wide: boolean }) {
  return <path d={path} data-run={id} className={on ? "on" : "off"} style={on ? { stroke: colour, strokeWidth: wide ? 1.6 : 1.1 } : undefined} />;
});

/** The brush between two places of an axis: numbers, or the words that lie there. */
function brushOf(axis: Axis, a: number, b: number): Brush | null {
  const [from, to] = [Math.max(0, Math.min(a, b)), Math.min(1, Math.max(a, b))];
  if (!axis.words) {
    // To the end of the axis is to its last value, which a rounded number may miss.
    const at = (place: number) => (place <= 0 ? axis.low : place >= 1 ? axis.high : Number(numberAt(axis, place).toPrecision(6)));
    return { key: axis.column, from: at(from), to: at(to) };
  }
  const half = axis.words.length > 1 ? 0.5 / (axis.words.length - 1) : 0.5;
  const words = axis.words.filter((word) => {
    const place = placeOn(axis, word)!;
    return place >= from - half * 0.6 && place <= to + half * 0.6;
  });
  return words.length ? { key: axis.column, words } : null;
}

/** Where a brush lies on its axis. */
function spanOf(axis: Axis, brush: Brush): [number, number] | null {
  const places = "words" in brush ? brush.words.map((w) => placeOn(axis, w)) : [placeOn(axis, brush.from), placeOn(axis, brush.to)];
  const known = places.filter((p): p is number => p !== null && Number.isFinite(p));
  return known.length ? [Math.min(...known), Math.max(...known)] : null;
}

/** Parallel coordinates: drag an axis' name to move it or away to drop it, drag along it to brush. */
export function Parallel(p: Props) {
  const { rows, chosen, axes: columns, brush, colours, height, target } = p;
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const hot = useStore(hotRun);
  const [drawing, setDrawing] = useState<{ column: string; from: number; to: number } | null>(null);
  const [moving, setMoving] = useState<{ column: string; x: number; away: boolean } | null>(null);
  const start = useRef<{ x: number; y: number; column: string } | null>(null);
  const axes = useMemo(() => columns.map((column) => axisOf(column, rows)), [columns, rows]);
  const short = useMemo(() => tellApart(columns.map(axisName)), [columns]);
  const inner = Math.max(0, width - 2 * SIDE);
  const xs = useMemo(() => columns.map((_, i) => SIDE + (columns.length < 2 ? inner / 2 : (i / (columns.length - 1)) * inner)), [columns, inner]);
  const y = useMemo(() => (place: number) => TOP + (height - TOP - BOTTOM) * (1 - place), [height]);
  const placeAt = (clientY: number) => {
    const top = box.current!.getBoundingClientRect().top;
    return Math.min(1, Math.max(0, 1 - (clientY - top - TOP) / (height - TOP - BOTTOM)));
  };
  const inside = useMemo(() => new Set(chosen.map((row) => row.run.run_id)), [chosen]);
  const paths = useMemo(() => rows.map((row) => ({ row, id: row.run.run_id, path: pathOf(row, axes, xs, y) })), [rows, axes, xs, y]);
  const ordered = useMemo(() => [...paths].sort((a, b) => Number(inside.has(a.id)) - Number(inside.has(b.id))), [paths, inside]);
  const move = (column: string, to: number) => {
    const left = columns.filter((c) => c !== column);
    left.splice(Math.max(0, Math.min(left.length, to)), 0, column);
    p.onAxes(left);
  };
  const drop = (column: string) => {
    p.onAxes(columns.filter((c) => c !== column));
    if (brush.some((b) => b.key === column)) p.onBrush(brush.filter((b) => b.key !== column));
  };

  const nameDown = (event: PointerEvent<SVGGElement>, column: string) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    start.current = { x: event.clientX, y: event.clientY, column };
  };
  const nameMove = (event: PointerEvent) => {
    if (!start.current || (!moving && Math.abs(event.clientX - start.current.x) + Math.abs(event.clientY - start.current.y) < DRAG_LEAST)) return;
    const frame = box.current!.getBoundingClientRect();
    setMoving({ column: start.current.column, x: event.clientX - frame.left, away: event.clientY < frame.top - AWAY || event.clientY > frame.bottom + AWAY });
  };
  const nameUp = () => {
    if (moving?.away) drop(moving.column);
    else if (moving) move(moving.column, xs.filter((x, i) => columns[i] !== moving.column && x < moving.x).length);
    start.current = null;
    setMoving(null);
  };
  const axisDown = (event: PointerEvent<SVGRectElement>, column: string) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = placeAt(event.clientY);
    setDrawing({ column, from: at, to: at });
  };
  const axisUp = (axis: Axis) => {
    if (!drawing) return;
    const made = Math.abs(drawing.to - drawing.from) * height > DRAG_LEAST ? brushOf(axis, drawing.from, drawing.to) : null;
    const others = brush.filter((b) => b.key !== axis.column);
    // A press without a drag takes the axis' brushes away; a second brush on an axis joins the first.
    p.onBrush(made ? ("words" in made ? [...others, made] : [...brush, made]) : others);
    setDrawing(null);
  };
  const menu = (axis: Axis, i: number): MenuEntry[] => {
    const set = (made: Brush) => p.onBrush([...brush.filter((b) => b.key !== axis.column), made]);
    const numbers = rows.map((row) => valueOf(row, axis.column)).filter((v): v is number => typeof v === "number").sort((a, b) => a - b);
    const best = (share: number) => () => set(p.lower || axis.column !== `metrics.${target}` ? { key: axis.column, from: numbers[0]!, to: quantile(numbers, share) } : { key: axis.column, from: quantile(numbers, 1 - share), to: numbers[numbers.length - 1]! });
    return [
      ...(i > 0 ? [{ label: t.moveLeft, onSelect: () => move(axis.column, i - 1) }] : []),
      ...(i < columns.length - 1 ? [{ label: t.moveRight, onSelect: () => move(axis.column, i + 1) }] : []),
      "line",
      ...(axis.words ? axis.words.slice(0, 12).map((word) => ({ label: t.brushWord(word), onSelect: () => set({ key: axis.column, words: [word] }) })) : numbers.length ? [{ label: t.bestQuarter, onSelect: best(0.25) }, { label: t.bestHalf, onSelect: best(0.5) }] : []),
      ...(brush.some((b) => b.key === axis.column) ? [{ label: t.clearBrush, icon: "x" as const, onSelect: () => p.onBrush(brush.filter((b) => b.key !== axis.column)) }] : []),
      "line",
      { label: t.dropAxis, icon: "trash", onSelect: () => drop(axis.column) },
    ];
  };
  const hover = (event: PointerEvent) => hotRun.set((event.target as Element).getAttribute("data-run"));
  const hotPath = paths.find((one) => one.id === hot && inside.has(one.id));
  return (
    <div ref={box} className="parallel" style={{ height }} data-testid="parallel">
      {width > 0 && (
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={t.parallelSummary(chosen.length, columns.length)} onPointerMove={hover} onPointerLeave={() => hotRun.set(null)}>
          <g className={`plines${hotPath ? " dimmed" : ""}${chosen.length > MANY ? " many" : ""}`}>
            {ordered.map(({ row, id, path }) => <Line key={id} id={id} path={path} colour={colours.of(row)} on={inside.has(id)} wide={rows.length < 60} />)}
          </g>
          {hotPath && <path d={hotPath.path} className="phot" style={{ stroke: colours.of(hotPath.row) }} />}
          {axes.map((axis, i) => {
            const at = moving?.column === axis.column ? moving.x : xs[i]!;
            const name = axisName(axis.column);
            const spans = [...brush.filter((b) => b.key === axis.column).map((b) => spanOf(axis, b)), drawing?.column === axis.column ? [Math.min(drawing.from, drawing.to), Math.max(drawing.from, drawing.to)] as [number, number] : null].filter((s) => s !== null);
            const right = i === axes.length - 1;
            return (
              <g key={axis.column} transform={`translate(${at} 0)`} className={`paxis${moving?.column === axis.column ? (moving.away ? " away" : " moving") : ""}`} data-axis={axis.column}>
                <line y1={TOP} y2={height - BOTTOM} />
                {marksOf(axis).map(({ place, value }) => {
                  const text = writeValue(value);
                  const cut = text.length > 14 ? `${text.slice(0, 13)}…` : text;
                  return (
                    <g key={String(value)} transform={`translate(0 ${y(place)})`} className="pmark">
                      <line x1={-3} x2={3} />
                      <rect x={right ? 5 : -7 - cut.length * 6.1} y={-7} width={cut.length * 6.1 + 4} height={14} rx={2} />
                      <text x={right ? 7 : -6} dy="3.5" textAnchor={right ? "start" : "end"}>{cut}<title>{text}</title></text>
                    </g>
                  );
                })}
                {spans.map(([from, to], k) => <rect key={k} className="pbrush" x={-8} width={16} y={y(to) - 3} height={Math.max(6, y(from) - y(to) + 6)} rx={3} />)}
                <rect className="phit" x={-14} width={28} y={TOP - 4} height={height - TOP - BOTTOM + 8} data-testid="parallel-axis" data-axis={axis.column}
                  onPointerDown={(e) => axisDown(e, axis.column)} onPointerMove={(e) => drawing && setDrawing({ ...drawing, to: placeAt(e.clientY) })} onPointerUp={() => axisUp(axis)} />
                <g className="pname" onPointerDown={(e) => nameDown(e, axis.column)} onPointerMove={nameMove} onPointerUp={nameUp} onPointerCancel={() => setMoving(null)}>
                  <rect x={-60} width={120} y={2} height={24} /><text y={18} textAnchor="middle">{short.get(name)}<title>{name}</title></text>
                </g>
              </g>
            );
          })}
        </svg>
      )}
      {axes.map((axis, i) => <span key={axis.column} className="pmenu" style={{ left: xs[i]! - 12 }}><MenuButton look="ghost" className="tiny" icon="down" label={t.axisMenu(axisName(axis.column))} entries={() => menu(axis, i)} /></span>)}
      <span className="vh">{t.brushHint}</span>
    </div>
  );
}
