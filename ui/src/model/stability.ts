/** The verdict "was it stable", from buckets of the loss and, where there is one, of the eval loss. */

export interface LossBuckets {
  n: number;
  points: number;
  cols: { x: ArrayLike<number>; x_last: ArrayLike<number>; count: ArrayLike<number>; min: ArrayLike<number>; max: ArrayLike<number>; mean: ArrayLike<number>; last: ArrayLike<number>;
    nan: ArrayLike<number>; pos_inf: ArrayLike<number>; neg_inf: ArrayLike<number> };
}

export interface Spike {
  step: number;
  value: number;
  /** Steps until the loss was back within a tenth of what it was; null when it never came back. */
  recovery: number | null;
}

export interface Stability {
  verdict: "diverged" | "spiked" | "overfitting" | "stable" | "short" | "unknown";
  /** First step with NaN or an infinity, and how many such values there were. */
  broken: { step: number; kind: "NaN" | "Inf"; count: number } | null;
  spikes: Spike[];
  best: { step: number; value: number } | null;
  /** End of the loss (mean of the last tenth) over its best (least mean of as long a stretch). */
  endOverBest: number | null;
  overfit: { bestStep: number; rise: number } | null;
  points: number;
}

export const SHORT = 50;
const DIVERGED_RATIO = 1.5;
/** A loss that fell from 2.3 to 0.01 and ends at 0.02 has not diverged: the rise must be a share of the whole fall. */
const DIVERGED_SHARE = 0.1;
const SPIKE_DEVIATIONS = 8;
const SPIKE_RATIO = 1.25;
const WINDOW = 25;
const OVERFIT_RISE = 0.05;
const OVERFIT_BEFORE = 0.7;

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const mid = sorted.length >> 1;
  return sorted.length % 2 ? sorted[mid]! : (sorted[mid - 1]! + sorted[mid]!) / 2;
}

function findBroken({ n, cols }: LossBuckets): Stability["broken"] {
  let broken: Stability["broken"] = null;
  for (let i = 0; i < n; i++) {
    const inf = cols.pos_inf[i]! + cols.neg_inf[i]!;
    const bad = cols.nan[i]! + inf;
    if (!bad) continue;
    broken ??= { step: cols.count[i] ? cols.x_last[i]! : cols.x[i]!, kind: cols.nan[i] ? "NaN" : "Inf", count: 0 };
    broken.count += bad;
  }
  return broken;
}

interface Point {
  step: number;
  mean: number;
  max: number;
  min: number;
}

function finitePoints({ n, cols }: LossBuckets): Point[] {
  const out: Point[] = [];
  for (let i = 0; i < n; i++) if (cols.count[i]! > 0) out.push({ step: cols.x[i]!, mean: cols.mean[i]!, max: cols.max[i]!, min: cols.min[i]! });
  return out;
}

/** Bucket maxima over 8 robust deviations and 25 % above the running median of the maxima before them. */
function findSpikes(points: Point[]): Spike[] {
  const spikes: Spike[] = [];
  for (let i = WINDOW; i < points.length; i++) {
    const before = points.slice(i - WINDOW, i).map((p) => p.max);
    const mid = median(before);
    const spread = 1.4826 * median(before.map((v) => Math.abs(v - mid)));
    const { max, step } = points[i]!;
    if (max <= mid + SPIKE_DEVIATIONS * Math.max(spread, Math.abs(mid) * 0.002) || max <= mid + (SPIKE_RATIO - 1) * Math.abs(mid)) continue;
    let back = i;
    while (back < points.length && points[back]!.mean > mid + 0.1 * Math.abs(mid)) back++;
    if (back === i) back++;
    spikes.push({ step, value: max, recovery: back < points.length ? points[back]!.step - step : null });
    i = Math.max(i, back) + 1;
  }
  return spikes;
}

function findOverfit(evaluation: LossBuckets | null): Stability["overfit"] {
  const points = evaluation ? finitePoints(evaluation) : [];
  const last = points[points.length - 1];
  if (!last || points.length < 5) return null;
  const best = points.reduce((a, b) => (b.min < a.min ? b : a));
  const span = last.step - points[0]!.step;
  const rise = best.min === 0 ? 0 : (last.mean - best.min) / Math.abs(best.min);
  return best.step - points[0]!.step < span * OVERFIT_BEFORE && rise > OVERFIT_RISE ? { bestStep: best.step, rise } : null;
}

/** The means of the first and the last tenth, and the least mean of any stretch that long: noise of single steps averages out. */
function stretches(points: Point[]): { first: number; least: number; end: number } {
  const width = Math.max(1, Math.ceil(points.length / 10));
  let sum = 0;
  for (let i = 0; i < width; i++) sum += points[i]!.mean;
  const first = sum / width;
  let least = first;
  for (let i = width; i < points.length; i++) {
    sum += points[i]!.mean - points[i - width]!.mean;
    least = Math.min(least, sum / width);
  }
  return { first, least, end: sum / width };
}

/** `loss` decides divergence and spikes, `evaluation` overfitting. Without a loss the verdict is "unknown". */
export function judge(loss: LossBuckets | null, evaluation: LossBuckets | null): Stability {
  const none: Stability = { verdict: "unknown", broken: null, spikes: [], best: null, endOverBest: null, overfit: null, points: loss?.points ?? 0 };
  if (!loss) return none;
  const broken = findBroken(loss) ?? (evaluation ? findBroken(evaluation) : null);
  const points = finitePoints(loss);
  if (!points.length) return { ...none, broken, verdict: broken ? "diverged" : "unknown" };
  const lowest = points.reduce((a, b) => (b.mean < a.mean ? b : a));
  const { first, least, end } = stretches(points);
  const endOverBest = least > 0 ? end / least : null;
  const rose = end - least > DIVERGED_SHARE * Math.abs(first - least);
  const spikes = findSpikes(points);
  const overfit = findOverfit(evaluation);
  const short = loss.points < SHORT;
  const diverged = broken !== null || (!short && endOverBest !== null && endOverBest > DIVERGED_RATIO && rose);
  const verdict = diverged ? "diverged" : short ? "short" : spikes.length ? "spiked" : overfit ? "overfitting" : "stable";
  return { verdict, broken, spikes, best: { step: lowest.step, value: lowest.min }, endOverBest, overfit, points: loss.points };
}
