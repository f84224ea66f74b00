import type { XAxis } from "../url/experiment";
import type { Span } from "./scale";

export interface DrawnRun {
  id: string;
  name: string;
  slot: number | null;
  live: boolean;
}

/** What all charts of a page share. */
export interface ChartSettings {
  x: XAxis;
  smooth: number;
  zoom: Span | null;
}
