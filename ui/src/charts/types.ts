import type { OwnChart } from "../url/board";

export interface DrawnRun {
  id: string;
  name: string;
  slot: number | null;
  /** Where the run stands on the ramp, 0 to 1, when lines are coloured by a column and not each by itself. */
  shade?: number | undefined;
  live: boolean;
}

/** One picture: its name in the settings and what stands in it. */
export interface ChartSpec {
  id: string;
  title: string;
  keys: string[];
  /** Set where the user put the chart together. */
  own?: OwnChart;
}
