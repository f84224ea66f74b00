import { ApiError, get, NATIVE } from "./http";
import { toNumber, type WireNumber } from "../model/number";

/** The best configuration of an experiment by its main metric: one run, or the mean of its replicates. */
export interface Best {
  metric: string;
  runIds: string[];
  names: string[];
  value: number | null;
}

interface Wire {
  metric: string;
  best: { run_ids: string[]; names: string[]; mean: WireNumber } | null;
}

/** Null where no finished run has a value, or nothing tells whether lower or higher is better. */
export async function getBest(experimentId: string, signal?: AbortSignal): Promise<Best | null> {
  const found = await get<Wire>(`${NATIVE}/experiments/best`, { experiment_id: experimentId }, signal).catch((error: unknown) => {
    if (error instanceof ApiError && (error.status === 404 || error.status === 400)) return null;
    throw error;
  });
  if (!found) return null;
  const { metric, best } = found;
  return best && { metric, runIds: best.run_ids, names: best.names, value: toNumber(best.mean) };
}
