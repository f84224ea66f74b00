/** What a run logs beyond scalars, read from its files. Formats: docs/reference/media.md. */

export interface Confusion {
  labels: string[];
  /** Rows are true, columns predicted classes. */
  matrix: number[][];
}

export interface Curve {
  label: string;
  x: number[];
  y: number[];
  /** Average precision, or the area below. */
  area: number | null;
  positives: number;
  total: number;
}

export interface CurveSet {
  type: "pr-curve" | "roc-curve";
  curves: Curve[];
}

export interface Histogram {
  step: number;
  edges: number[];
  counts: number[];
  nan: number;
  infinite: number;
}

const list = (value: unknown): unknown[] | null => (Array.isArray(value) ? value : null);
const numbers = (value: unknown): number[] | null => (list(value)?.every((v) => typeof v === "number") ? (value as number[]) : null);

function object(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** A confusion matrix, or null for any other text. */
export function readConfusion(text: string): Confusion | null {
  const found = object(text);
  const labels = list(found?.["labels"])?.map(String);
  const matrix = list(found?.["matrix"])?.map(numbers);
  if (found?.["type"] !== "confusion-matrix" || !labels?.length || matrix?.length !== labels.length) return null;
  return matrix.every((row): row is number[] => row?.length === labels.length) ? { labels, matrix } : null;
}

const AXES = { "pr-curve": ["recall", "precision", "average_precision"], "roc-curve": ["fpr", "tpr", "auc"] } as const;

/** Precision over recall or true over false positives, or null for any other text. */
export function readCurves(text: string): CurveSet | null {
  const found = object(text);
  const type = found?.["type"];
  const curves = list(found?.["curves"]);
  if ((type !== "pr-curve" && type !== "roc-curve") || !curves?.length) return null;
  const [across, up, area] = AXES[type];
  const read = curves.map((curve): Curve | null => {
    const one = (curve ?? {}) as Record<string, unknown>;
    const [x, y] = [numbers(one[across]), numbers(one[up])];
    const count = (name: string) => (typeof one[name] === "number" ? one[name] : 0);
    return x && y && x.length === y.length ? { label: String(one["label"] ?? ""), x, y, area: typeof one[area] === "number" ? one[area] : null, positives: count("positives"), total: count("total") } : null;
  });
  return read.every((one): one is Curve => one !== null) ? { type, curves: read } : null;
}

/** A histogram as a stock MLflow server keeps it, or null for any other text. */
export function readHistogram(text: string, step: number): Histogram | null {
  const found = object(text);
  const [edges, counts] = [numbers(found?.["edges"]), numbers(found?.["counts"])];
  const count = (name: string) => (typeof found?.[name] === "number" ? found[name] : 0);
  return edges && counts && counts.length > 0 && edges.length === counts.length + 1 ? { step, edges, counts, nan: count("nan"), infinite: count("infinite") } : null;
}

/** The place of the last step that is not after `step`; the first one where all are, the last one for null. */
export function placeAt(steps: readonly number[], step: number | null): number {
  if (step === null) return steps.length - 1;
  let [low, high] = [0, steps.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (steps[mid]! <= step) low = mid + 1;
    else high = mid;
  }
  return Math.max(0, low - 1);
}

/** All steps of some series, ascending, each once. */
export const allSteps = (series: readonly { steps: readonly number[] }[]) => [...new Set(series.flatMap((s) => s.steps))].sort((a, b) => a - b);

export interface Mistake {
  actual: string;
  predicted: string;
  count: number;
  /** Of all of the true class. */
  share: number;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** How many were right, of how many, and which classes were most often taken for another. */
export function judged({ labels, matrix }: Confusion, most: number): { right: number; total: number; mistakes: Mistake[] } {
  const rows = matrix.map(sum);
  const mistakes = matrix.flatMap((row, i) => row.flatMap((count, j) => (i === j || count <= 0 ? [] : [{ actual: labels[i]!, predicted: labels[j]!, count, share: count / rows[i]! }])));
  return { right: sum(matrix.map((row, i) => row[i]!)), total: sum(rows), mistakes: mistakes.sort((a, b) => b.count - a.count || b.share - a.share).slice(0, most) };
}

/** The value below which `share` of a histogram's values lie, linear within a bin; null without values. */
export function quantile({ edges, counts }: Pick<Histogram, "edges" | "counts">, share: number): number | null {
  const total = sum(counts);
  if (total <= 0) return null;
  let left = share * total;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (count > 0 && left <= count) return edges[i]! + ((edges[i + 1]! - edges[i]!) * left) / count;
    left -= count;
  }
  return edges[edges.length - 1]!;
}
