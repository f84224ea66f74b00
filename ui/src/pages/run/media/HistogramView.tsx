import { useEffect, useMemo, useRef } from "react";
import { palette } from "../../../charts/theme";
import { tickLabels, ticks } from "../../../charts/scale";
import { formatCount, formatNumber } from "../../../model/format";
import { quantile, type Histogram } from "../../../model/media";
import { locale, t } from "../../../i18n";
import { useSize, useStore } from "../../../ui/hooks";

interface Props {
  name: string;
  histograms: Histogram[];
  /** The place of the one that is drawn as bars. */
  at: number;
  tall: boolean;
}

const AXIS = 18;
const HEAT = { small: 56, tall: 200 };
const BARS = { small: 118, tall: 300 };
const total = ({ counts }: Histogram) => counts.reduce((a, b) => a + b, 0);

/** The histogram of one step as bars, and below it those of all steps, darker where more values lie. */
export function HistogramView({ name, histograms, at, tall }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const one = histograms[at]!;
  const span = useMemo(() => spanOf(histograms), [histograms]);
  const height = tall ? BARS.tall : BARS.small;
  const label = t.histogramSummary(name, formatCount(one.step, locale), formatCount(total(one), locale));
  return (
    <div ref={box} className="mview">
      {width > 0 && <Bars one={one} span={span} width={width} height={height} label={label} />}
      {width > 0 && histograms.length > 1 && <Heat histograms={histograms} at={at} span={span} width={width} height={tall ? HEAT.tall : HEAT.small} />}
      <p className="mcap num">{facts(one).join(" · ")}</p>
    </div>
  );
}

const OUTSIDE = 0.002;

/** The range of nearly all values over all steps: a lone outlier would press the rest into one bar. The caption has its value. */
function spanOf(histograms: readonly Histogram[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const one of histograms) [low, high] = [Math.min(low, quantile(one, OUTSIDE) ?? Infinity), Math.max(high, quantile(one, 1 - OUTSIDE) ?? -Infinity)];
  return low < high ? [low, high] : low === high ? [low - 0.5, high + 0.5] : [0, 1];
}

function facts(one: Histogram): string[] {
  const [low, mid, high] = [0.25, 0.5, 0.75].map((share) => quantile(one, share));
  const value = (v: number | null | undefined) => formatNumber(v ?? null, locale);
  return [
    ...(mid === null ? [] : [t.medianOf(value(mid)), t.middleHalf(value(low), value(high)), t.spanOf(value(one.edges[0]), value(one.edges[one.edges.length - 1]))]),
    ...(one.nan ? [t.nanCount(formatCount(one.nan, locale))] : []),
    ...(one.infinite ? [t.infCount(formatCount(one.infinite, locale))] : []),
  ];
}

interface PartProps {
  span: [number, number];
  width: number;
  height: number;
}

/** Bars as high as the density: bins may differ in width. */
function Bars({ one, span: [low, high], width, height, label }: PartProps & { one: Histogram; label: string }) {
  const x = (value: number) => ((value - low) / (high - low)) * width;
  const floor = height - AXIS;
  const density = one.counts.map((count, i) => count / Math.max(Number.MIN_VALUE, one.edges[i + 1]! - one.edges[i]!));
  const most = Math.max(...density, Number.MIN_VALUE);
  const marks = ticks([low, high], width > 420 ? 6 : 3);
  const names = tickLabels(marks, locale);
  return (
    <svg width={width} height={height} role="img" aria-label={label} className="hist">
      {one.counts.map((count, i) => {
        const [from, to] = [x(one.edges[i]!), x(one.edges[i + 1]!)];
        const tall = (density[i]! / most) * (floor - 6);
        return count > 0 && <rect key={i} x={from} width={Math.max(1, to - from - 0.5)} y={floor - tall} height={Math.max(1, tall)}><title>{`${formatNumber(one.edges[i]!, locale)} … ${formatNumber(one.edges[i + 1]!, locale)}: ${formatCount(count, locale)}`}</title></rect>;
      })}
      <path d={`M0 ${floor + 0.5}H${width}`} className="axis" />
      {marks.map((mark, i) => <text key={mark} x={Math.min(width - 2, Math.max(2, x(mark)))} y={height - 5} textAnchor={x(mark) < 20 ? "start" : x(mark) > width - 20 ? "end" : "middle"}>{names[i]}</text>)}
    </svg>
  );
}

/** A column a step, from the lowest value at the bottom to the highest on top; each column is scaled by itself. */
function Heat({ histograms, at, span: [low, high], width, height }: PartProps & { histograms: Histogram[]; at: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const colours = useStore(palette());
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const ratio = devicePixelRatio || 1;
    [context.canvas.width, context.canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    context.scale(ratio, ratio);
    context.fillStyle = colours.runs[0]!;
    const column = width / histograms.length;
    const y = (value: number) => height - ((value - low) / (high - low)) * height;
    histograms.forEach(({ edges, counts }, place) => {
      const density = counts.map((count, i) => count / Math.max(Number.MIN_VALUE, edges[i + 1]! - edges[i]!));
      const most = Math.max(...density, Number.MIN_VALUE);
      density.forEach((value, i) => {
        if (value <= 0) return;
        context.globalAlpha = 0.08 + 0.92 * Math.sqrt(value / most);
        context.fillRect(place * column, y(edges[i + 1]!), column + 0.5, Math.max(1, y(edges[i]!) - y(edges[i + 1]!)) + 0.5);
      });
    });
    context.globalAlpha = 1;
    context.strokeStyle = colours.text2;
    context.strokeRect(at * column + 0.5, 0.5, Math.max(1, column - 1), height - 1);
  }, [histograms, at, low, high, width, height, colours]);
  const step = (place: number) => formatCount(histograms[place]!.step, locale);
  return <canvas ref={canvas} className="heatmap" style={{ width, height }} role="img" aria-label={t.overSteps(step(0), step(histograms.length - 1))} />;
}
