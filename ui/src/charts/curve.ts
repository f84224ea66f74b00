import type { Series } from "../api/buckets";
import type { DrawnRun } from "./types";

/** A series as it is drawn. Slot null is a grey context line. */
export interface Curve {
  /** The run, or the group. */
  id: string;
  key: string;
  name: string;
  slot: number | null;
  /** Its place on the ramp, 0 to 1; without one it has the colour of its slot. */
  shade?: number | undefined;
  /** Which dash a further metric of the same runs has; 0 is a whole line. */
  dash: number;
  series: Series;
  live: boolean;
  /** Drawn smoothed, with the raw values behind it. */
  smooth: boolean;
  /** A group: `min` and `max` of its buckets are the ends of its band. */
  band: boolean;
}

export interface Emphasis {
  /** The run under the pointer or the focus; all others are dimmed. */
  hot: string | null;
  /** The run drawn on top and a little thicker when none is hot. */
  lead: string | null;
}

/** Up to so many coloured curves all show their envelope and raw line, else the leading one alone. */
export const FEW = 4;
const DENSE = 100;
/** Values that somebody set rather than measured have no noise; smoothing would only bend them. */
const SCHEDULED = /(^|[/_.])(learning_rate|lr|epoch|momentum|weight_decay)([/_.-]|$)/i;

export const isScheduled = (key: string) => SCHEDULED.test(key);

/** Whether a metric is smoothed: an eval curve of twenty values has nothing to smooth. All its runs are treated alike. */
export const isDense = (series: Iterable<Series>) => [...series].some(({ points, key }) => points >= DENSE && !isScheduled(key));

/** The value of the line at a bucket: smoothed, or the last finite value of the bucket. */
export const lineValue = ({ series, smooth }: Curve, i: number): number => (smooth ? series.cols.smooth[i]! : series.cols.last[i]!);

/** Two lines of one run are two metrics: they differ by colour, in an order that keeps neighbours apart. */
const PLACES = [0, 2, 1, 5, 6, 3, 4, 7, 8, 9];

/** How the lines of a chart are told apart: by colour for runs; further metrics by dash, or by colour when there is one run. */
export function lookOf(run: DrawnRun, metric: number, metrics: number, runs: number): Pick<Curve, "slot" | "dash"> {
  if (metrics === 1 || run.slot === null) return { slot: run.slot, dash: 0 };
  if (runs === 1) return { slot: PLACES[metric % 10]! + 10 * Math.floor(metric / 10), dash: 0 };
  return { slot: run.slot, dash: metric };
}
