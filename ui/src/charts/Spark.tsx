import { useMemo } from "react";
import type { Series } from "../api/buckets";
import { slotColour } from "../ui/Swatch";
import { useSeries } from "./useSeries";

const VIEW = { x: "step", start: null, end: null, buckets: 40, smoothing: 0 } as const;
const EDGE = 2;

interface Drawn {
  path: string;
  end: { x: number; y: number } | null;
  broken: { x: number } | null;
}

/** The path of a sparkline; a logarithmic axis where the values span more than a decade and a half. */
export function sparkPath({ n, cols, xMin, xMax }: Series, width: number, height: number, clip = 0.97): Drawn {
  const values: { x: number; v: number }[] = [];
  let broken: { x: number } | null = null;
  const at = (x: number) => EDGE + ((x - xMin) / (xMax - xMin || 1)) * (width - 3 * EDGE);
  for (let i = 0; i < n; i++) {
    if (cols.count[i]) values.push({ x: cols.x[i]!, v: cols.mean[i]! });
    if (!broken && cols.nan[i]! + cols.pos_inf[i]! + cols.neg_inf[i]! > 0) broken = { x: at(cols.x[i]!) };
  }
  if (!values.length) return { path: "", end: null, broken };
  const sorted = values.map((p) => p.v).sort((a, b) => a - b);
  const [low, high] = [sorted[0]!, sorted[Math.floor((sorted.length - 1) * clip)]!];
  const log = low > 0 && high / low > 30;
  const scale = (v: number) => (log ? Math.log(v / low) / Math.log(high / low || 1) : (v - low) / (high - low || 1));
  const y = (v: number) => EDGE + (height - 2 * EDGE) * (1 - Math.min(1, Math.max(0, scale(v))));
  const path = values.map((p, i) => `${i ? "L" : "M"}${at(p.x).toFixed(1)} ${y(p.v).toFixed(1)}`).join("");
  const last = values[values.length - 1]!;
  return { path, end: { x: at(last.x), y: y(last.v) }, broken };
}

interface SparkProps {
  runId: string;
  metric: string;
  slot: number | null;
  live?: boolean;
  width?: number;
  height?: number;
}

/** A small line from 40 buckets, with the last point of a running run and the mark of NaN or Inf. */
export function Spark({ runId, metric, slot, live = false, width = 76, height = 20 }: SparkProps) {
  const { found } = useSeries([runId], metric, VIEW);
  const series = found.get(runId);
  const drawn = useMemo(() => (series ? sparkPath(series, width, height) : null), [series, width, height]);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true" className="spark">
      {drawn && <path d={drawn.path} fill="none" stroke={slot === null ? "var(--text-3)" : slotColour(slot)} strokeWidth="1.2" strokeLinejoin="round" />}
      {drawn?.broken && <path d={`M${drawn.broken.x - 3.2} 7h6.4l-3.2 -5.6z`} fill="var(--bad)" />}
      {live && drawn?.end && !drawn.broken && <circle cx={drawn.end.x} cy={drawn.end.y} r="2.2" fill="var(--run)" />}
    </svg>
  );
}
