import { NATIVE, post } from "./http";

export interface TagChange {
  run_id: string;
  key: string;
  value: string | null;
}
export interface Weight {
  runs: number;
  files: number;
  bytes: number;
}

/** The most runs that one call takes; more go one call after the other. */
export const BULK_RUNS = 1000;
/** Runs that are removed at once: each may hold thousands of rows, and other writers wait. */
const PURGED_AT_ONCE = 20;

function parts<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

async function inParts<T, A>(list: readonly T[], call: (part: T[]) => Promise<A>, size = BULK_RUNS): Promise<A[]> {
  const answers: A[] = [];
  for (const part of parts(list, size)) answers.push(await call(part));
  return answers;
}

/** Sets and removes tags; the answer, applied the same way, undoes it. */
export async function changeTags(changes: readonly TagChange[]): Promise<TagChange[]> {
  const answers = await inParts(changes, (part) => post<{ before: TagChange[] }>(`${NATIVE}/runs/tags`, { changes: part }));
  return answers.flatMap((a) => a.before);
}

/** Marks runs as deleted, or takes the mark back; gives those that were changed. */
export async function markRuns(runIds: readonly string[], what: "delete" | "restore"): Promise<string[]> {
  const answers = await inParts(runIds, (part) => post<{ run_ids: string[] }>(`${NATIVE}/runs/${what}`, { run_ids: part }));
  return answers.flatMap((a) => a.run_ids);
}

/** Moves runs; gives those that were elsewhere, by where they came from. */
export async function moveRuns(runIds: readonly string[], experimentId: string): Promise<Record<string, string[]>> {
  const answers = await inParts(runIds, (part) => post<{ before: Record<string, string[]> }>(`${NATIVE}/runs/move`, { run_ids: part, experiment_id: experimentId }));
  const before: Record<string, string[]> = {};
  for (const answer of answers) for (const [from, ids] of Object.entries(answer.before)) before[from] = [...(before[from] ?? []), ...ids];
  return before;
}

export async function weighRuns(runIds: readonly string[]): Promise<Weight> {
  const answers = await inParts(runIds, (part) => post<Weight>(`${NATIVE}/runs/weigh`, { run_ids: part }));
  return answers.reduce((sum, a) => ({ runs: sum.runs + a.runs, files: sum.files + a.files, bytes: sum.bytes + a.bytes }), { runs: 0, files: 0, bytes: 0 });
}

/** Removes runs for good, with their artifacts; gives the runs whose files could not be removed. */
export async function purgeRuns(runIds: readonly string[]): Promise<string[]> {
  await markRuns(runIds, "delete");
  const answers = await inParts(runIds, (part) => post<{ files_left: string[] }>(`${NATIVE}/runs/purge`, { run_ids: part }), PURGED_AT_ONCE);
  return answers.flatMap((a) => a.files_left);
}
