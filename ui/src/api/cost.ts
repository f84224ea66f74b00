import { get, NATIVE } from "./http";

/** What runs cost; see docs/reference/cost.md. */
export interface Cost {
  hours: number;
  gpu_hours: number;
  watt_hours: number;
  /** How much of the energy is estimated, Wh. */
  estimated: number;
  /** Of how many runs no energy is known. */
  unknown: number;
  money: number | null;
  currency: string;
  co2_grams: number | null;
}

export const costOfRun = async (runId: string, signal?: AbortSignal): Promise<Cost> => (await get<{ cost: Cost }>(`${NATIVE}/cost`, { run_id: runId }, signal)).cost;
