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

export interface MonthCost extends Cost {
  /** As in "2026-11", UTC. */
  month: string;
  runs: number;
}
export interface ExperimentCost {
  cost: Cost & { runs: number };
  months: MonthCost[];
}

/** What all active runs of an experiment cost, in all and month by month. */
export const costOfExperiment = (experimentId: string, signal?: AbortSignal) => get<ExperimentCost>(`${NATIVE}/cost`, { experiment_id: experimentId, by: "month" }, signal);
export const costOfRun = async (runId: string, signal?: AbortSignal): Promise<Cost> => (await get<{ cost: Cost }>(`${NATIVE}/cost`, { run_id: runId }, signal)).cost;
