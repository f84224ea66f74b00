import { under } from "../url/base";
import type { Artifact } from "./artifacts";
import { change, get, getStart, MLFLOW, NATIVE, post, queryString, type Query } from "./http";

export const STAGES = ["None", "Staging", "Production", "Archived"] as const;
export type Stage = (typeof STAGES)[number];

export interface Tag {
  key: string;
  value: string;
}

export interface ModelVersion {
  name: string;
  version: string;
  creation_timestamp: number;
  last_updated_timestamp: number;
  current_stage: Stage;
  description: string;
  source: string;
  run_id: string;
  user_id?: string;
  model_id?: string;
  tags?: Tag[];
  aliases?: string[];
}

export interface RegisteredModel {
  name: string;
  creation_timestamp: number;
  last_updated_timestamp: number;
  description?: string;
  latest_versions?: ModelVersion[];
  aliases?: { alias: string; version: string }[];
  tags?: Tag[];
}

export interface AuditEntry {
  id: number;
  time: number;
  user: string;
  address: string;
  action: "model created" | "model renamed" | "model deleted" | "version created" | "version deleted" | "stage changed" | "alias set" | "alias deleted";
  name: string;
  version?: string;
  alias: string;
  before: string;
  after: string;
}

export interface Lineage {
  run?: { run_id: string; run_name: string; experiment_id: string; status: string; user_id: string };
  experiment_name?: string;
  git_commit?: string;
  git_branch?: string;
  git_repository?: string;
  git_dirty?: string;
  datasets?: { dataset: { name: string; digest: string; source_type: string }; tags?: Tag[] }[];
  model_id?: string;
  logged_model_name?: string;
}

/** A model that a run logged or used. */
export interface RunModel {
  info: { model_id: string; name: string; status: string; status_message?: string; model_type?: string; creation_timestamp_ms?: number; registrations?: { name: string; version: string }[] };
  step?: number;
}

/** The newest of each kind, and how many there are. */
export interface RunModels {
  made: RunModel[];
  made_total: number;
  used: RunModel[];
  used_total: number;
  versions: ModelVersion[];
  versions_total: number;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

const MODELS = `${MLFLOW}/registered-models`;
const VERSIONS = `${MLFLOW}/model-versions`;
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** A page of models whose name holds all the words, those changed last first. */
export async function searchModels(words: string, token: string | null, signal?: AbortSignal): Promise<Page<RegisteredModel>> {
  const filter = words.split(/\s+/).filter(Boolean).map((word) => `name ILIKE ${quoted(`%${word}%`)}`).join(" AND ");
  const query: Query = { max_results: "100", order_by: ["last_updated_timestamp DESC", "name"] };
  if (filter) query["filter"] = filter;
  if (token) query["page_token"] = token;
  const body = await get<{ registered_models?: RegisteredModel[]; next_page_token?: string }>(`${MODELS}/search`, query, signal);
  return { items: body.registered_models ?? [], next: body.next_page_token ?? null };
}

export async function getModel(name: string, signal?: AbortSignal): Promise<RegisteredModel> {
  return (await get<{ registered_model: RegisteredModel }>(`${MODELS}/get`, { name }, signal)).registered_model;
}

/** A page of a model's versions, the newest first. */
export async function searchVersions(name: string, token: string | null, signal?: AbortSignal): Promise<Page<ModelVersion>> {
  const query: Query = { filter: `name = ${quoted(name)}`, max_results: "100", order_by: ["version_number DESC"] };
  if (token) query["page_token"] = token;
  const body = await get<{ model_versions?: ModelVersion[]; next_page_token?: string }>(`${VERSIONS}/search`, query, signal);
  return { items: body.model_versions ?? [], next: body.next_page_token ?? null };
}

export async function searchAudit(name: string, token: string | null, signal?: AbortSignal): Promise<Page<AuditEntry>> {
  const query: Query = { name, max_results: "50", ...(token ? { page_token: token } : {}) };
  const body = await get<{ entries?: AuditEntry[]; next_page_token?: string }>(`${NATIVE}/registry/audit`, query, signal);
  return { items: body.entries ?? [], next: body.next_page_token ?? null };
}

export const getLineage = (name: string, version: string, signal?: AbortSignal) => get<Lineage>(`${NATIVE}/registry/lineage`, { name, version }, signal);

export const modelsOfRun = (runId: string, signal?: AbortSignal) => get<RunModels>(`${NATIVE}/runs/models`, { run_id: runId }, signal);

const filesOf = (modelId: string) => `${MLFLOW}/logged-models/${encodeURIComponent(modelId)}/artifacts`;
const MOST_TEXT = 1_000_000;

/** The files at the top of a logged model's folder. */
export const listModelFiles = async (modelId: string, signal?: AbortSignal) => (await get<{ files?: Artifact[] }>(`${filesOf(modelId)}/directories`, {}, signal)).files ?? [];
export const readModelText = (modelId: string, path: string, signal?: AbortSignal) => getStart(`${filesOf(modelId)}/files`, { artifact_file_path: path }, MOST_TEXT, signal);
/** Where a file of a logged model is saved from. */
export const modelFileHref = (modelId: string, path: string) => under(`${filesOf(modelId)}/files`) + queryString({ artifact_file_path: path, download: "1" });

export const createModel = (name: string) => post(`${MODELS}/create`, { name });
export const renameModel = (name: string, next: string) => post(`${MODELS}/rename`, { name, new_name: next });
export const describeModel = (name: string, description: string) => change("PATCH", `${MODELS}/update`, { name, description });
export const deleteModel = (name: string) => change("DELETE", `${MODELS}/delete`, { name });
export const setAlias = (name: string, version: string, alias: string) => post(`${MODELS}/alias`, { name, version, alias });
export const deleteAlias = (name: string, alias: string) => change("DELETE", `${MODELS}/alias`, { name, alias });
export const moveVersion = (name: string, version: string, stage: Stage, archive: boolean) =>
  post(`${VERSIONS}/transition-stage`, { name, version, stage, archive_existing_versions: archive });
export const describeVersion = (name: string, version: string, description: string) => change("PATCH", `${VERSIONS}/update`, { name, version, description });
export const deleteVersion = (name: string, version: string) => change("DELETE", `${VERSIONS}/delete`, { name, version });
