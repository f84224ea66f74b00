import { get, MLFLOW, post } from "./http";

/** MLflow's, and LOST: it runs, but its process gives no sign of life. */
export type RunStatus = "RUNNING" | "LOST" | "SCHEDULED" | "FINISHED" | "FAILED" | "KILLED";

/** What the table and the live stream say of a run. Times are Unix milliseconds. */
export interface RunInfo {
  run_id: string;
  experiment_id: string;
  name: string;
  status: RunStatus;
  start_time: number;
  end_time: number | null;
  /** When its process was last heard of, of a run that is lost or was ended for it. */
  lost_time?: number | null;
  user?: string;
  lifecycle_stage: "active" | "deleted";
}

export interface Dataset {
  name: string;
  digest: string;
  context: string;
  sourceType: string;
}

export interface RunDetail {
  info: RunInfo;
  artifactUri: string;
  params: Record<string, string>;
  tags: Record<string, string>;
  datasets: Dataset[];
}

interface Pair {
  key: string;
  value: string;
}
interface WireRun {
  info: Record<string, unknown>;
  data?: { params?: Pair[]; tags?: Pair[] };
  inputs?: { dataset_inputs?: { tags?: Pair[]; dataset?: { name?: string; digest?: string; source_type?: string } }[] };
}

const record = (pairs: Pair[] = []) => Object.fromEntries(pairs.map((p) => [p.key, p.value]));

/** MLflow's answer knows no LOST: it says since when nothing was heard instead. */
export function statusOf(info: Record<string, unknown>): RunStatus {
  const status = String(info["status"] ?? "RUNNING") as RunStatus;
  return status === "RUNNING" && info["lost_time"] != null ? "LOST" : status;
}

function toDetail({ info, data, inputs }: WireRun): RunDetail {
  const text = (key: string) => String(info[key] ?? "");
  const end = Number(info["end_time"] ?? 0);
  return {
    info: {
      run_id: text("run_id"), experiment_id: text("experiment_id"), name: text("run_name"),
      status: statusOf(info), start_time: Number(info["start_time"] ?? 0), end_time: end || null,
      user: text("user_id"), lifecycle_stage: text("lifecycle_stage") === "deleted" ? "deleted" : "active",
    },
    artifactUri: text("artifact_uri"),
    params: record(data?.params),
    tags: record(data?.tags),
    datasets: (inputs?.dataset_inputs ?? []).map((input) => ({
      name: input.dataset?.name ?? "", digest: input.dataset?.digest ?? "", sourceType: input.dataset?.source_type ?? "",
      context: record(input.tags)["mlflow.data.context"] ?? "",
    })),
  };
}

export async function getRun(runId: string, signal?: AbortSignal): Promise<RunDetail> {
  return toDetail((await get<{ run: WireRun }>(`${MLFLOW}/runs/get`, { run_id: runId }, signal)).run);
}

export const renameRun = (runId: string, name: string) => post(`${MLFLOW}/runs/update`, { run_id: runId, run_name: name });
export const deleteRun = (runId: string) => post(`${MLFLOW}/runs/delete`, { run_id: runId });
export const restoreRun = (runId: string) => post(`${MLFLOW}/runs/restore`, { run_id: runId });
export const setRunTag = (runId: string, key: string, value: string) => post(`${MLFLOW}/runs/set-tag`, { run_id: runId, key, value });
export const deleteRunTag = (runId: string, key: string) => post(`${MLFLOW}/runs/delete-tag`, { run_id: runId, key });
