import { get, NATIVE } from "./http";

export type MediaKind = "image" | "audio" | "confusion-matrix" | "pr-curve" | "roc-curve" | "histogram";

/** A key's values beyond scalars, by ascending steps; all lists are as long as `steps`. Histograms may have no files. */
export interface MediaSeries {
  kind: MediaKind;
  key: string;
  steps: number[];
  timestamps: number[];
  paths: (string | null)[];
  thumbnails: (string | null)[];
}

/** Histograms of a key in columns; of many an even choice of `total`. */
export interface Histograms {
  key: string;
  total: number;
  steps: number[];
  timestamps: number[];
  edges: number[][];
  counts: number[][];
  nan: number[];
  infinite: number[];
}

export async function listMedia(runId: string, signal?: AbortSignal): Promise<MediaSeries[]> {
  return (await get<{ media: MediaSeries[] }>(`${NATIVE}/runs/media`, { run_id: runId }, signal)).media;
}

export const getHistograms = (runId: string, key: string, signal?: AbortSignal) => get<Histograms>(`${NATIVE}/runs/histograms`, { run_id: runId, key }, signal);
