import { get, MLFLOW, NATIVE, post } from "./http";

export type View = "active" | "deleted" | "all";

export interface Experiment {
  experiment_id: string;
  name: string;
  lifecycle_stage: "active" | "deleted";
  creation_time: number;
  last_update_time: number;
  tags: Record<string, string>;
  runs: number;
  running: number;
  last_run_time: number | null;
}

export async function listExperiments(view: View, signal?: AbortSignal): Promise<Experiment[]> {
  const body = await get<{ experiments?: Experiment[] }>(`${NATIVE}/experiments`, { view }, signal);
  return body.experiments ?? [];
}

export const createExperiment = (name: string) => post<{ experiment_id: string }>(`${MLFLOW}/experiments/create`, { name });
export const renameExperiment = (id: string, name: string) => post(`${MLFLOW}/experiments/update`, { experiment_id: id, new_name: name });
export const deleteExperiment = (id: string) => post(`${MLFLOW}/experiments/delete`, { experiment_id: id });
export const restoreExperiment = (id: string) => post(`${MLFLOW}/experiments/restore`, { experiment_id: id });
export const setExperimentTag = (id: string, key: string, value: string) =>
  post(`${MLFLOW}/experiments/set-experiment-tag`, { experiment_id: id, key, value });
