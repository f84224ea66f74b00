import { under } from "../url/base";
import { bytesStart, get, getBody, getStart, MLFLOW, queryString } from "./http";

export interface Artifact {
  path: string;
  is_dir: boolean;
  file_size?: number;
}

export async function listArtifacts(runId: string, path: string, signal?: AbortSignal): Promise<Artifact[]> {
  const files: Artifact[] = [];
  for (let token = ""; ; ) {
    const body = await get<{ files?: Artifact[]; next_page_token?: string }>(
      `${MLFLOW}/artifacts/list`, { run_id: runId, path: path || undefined, page_token: token || undefined }, signal);
    files.push(...(body.files ?? []));
    token = body.next_page_token ?? "";
    if (!token) return files;
  }
}

/** Where a file is shown (safe types only) or, with `download`, saved from. */
export function artifactHref(runId: string, path: string, download = false): string {
  return under("get-artifact") + queryString({ run_id: runId, path, download: download ? "1" : undefined });
}

/** Where HTML and PDF are shown as what they are: the server gives them an origin of their own and no network. */
export const artifactPage = (runId: string, path: string) => under("show-artifact") + queryString({ run_id: runId, path });

/** A file as text, or its first bytes where it has more than `most`. */
export async function readArtifact(runId: string, path: string, most: number, signal?: AbortSignal): Promise<string> {
  return getStart("get-artifact", { run_id: runId, path }, most, signal);
}

/** The first bytes of a file; the rest is not fetched. */
export async function readArtifactBytes(runId: string, path: string, most: number, signal?: AbortSignal): Promise<Uint8Array> {
  const body = await getBody("get-artifact", { run_id: runId, path }, signal);
  return body ? bytesStart(body, most) : new Uint8Array();
}
