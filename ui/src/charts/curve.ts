import type { Series } from "../api/buckets";

/** A series as it is drawn. Slot null is a grey context line. */
export interface Curve {
  id: string;
  name: string;
  slot: number | null;
  series: Series;
  live: boolean;
  /** Drawn smoothed, with the raw values behind it. */
  smooth: boolean;
}

export interface Emphasis {
  /** The run under the pointer or the focus; all others are dimmed. */
  hot: string | null;
  /** The run drawn on top and a little thicker when none is hot. */
  lead: string | null;
}

const DENSE = 100;
/** Values that somebody set rather than measured have no noise; smoothing would only bend them. */
const SCHEDULED = /(^|[/_.])(learning_rate|lr|epoch|momentum|weight_decay)([/_.-]|$)/i;

export const isScheduled = (key: string) => SCHEDULED.test(key);

/** Whether a metric is smoothed: an eval curve of twenty values has nothing to smooth. All its runs are treated alike. */
export const isDense = (series: Iterable<Series>) => [...series].some(({ points, key }) => points >= DENSE && !isScheduled(key));

/** The value of the line at a bucket: smoothed, or the last finite value of the bucket. */
export const lineValue = ({ series, smooth }: Curve, i: number): number => (smooth ? series.cols.smooth[i]! : series.cols.last[i]!);
