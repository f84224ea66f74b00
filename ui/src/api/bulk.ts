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

/** How far a change of many runs came. Where a part was refused, `problem` says why; `done` is what was done before it. */
export interface Outcome<T> {
  done: T;
  problem: Error | null;
}

/** Told how many are done, after every part. */
export type Progress = (done: number) => void;

async function inParts<T, A>(list: readonly T[], call: (part: T[]) => Promise<A>, progress?: Progress, size = BULK_RUNS): Promise<Outcome<A[]>> {
  const done: A[] = [];
  for (const [at, part] of parts(list, size).entries()) {
    try {
      done.push(await call(part));
    } catch (error) {
      return { done, problem: error as Error };
    }
    progress?.(Math.min(list.length, (at + 1) * size));
  }
  return { done, problem: null };
}

const flat = <A, T>({ done, problem }: Outcome<A[]>, take: (answer: A) => T[]): Outcome<T[]> => ({ done: done.flatMap(take), problem });

/** Sets and removes tags; what was done, applied the same way, undoes it. */
export async function changeTags(changes: readonly TagChange[], progress?: Progress): Promise<Outcome<TagChange[]>> {
  return flat(await inParts(changes, (part) => post<{ before: TagChange[] }>(`${NATIVE}/runs/tags`, { changes: part }), progress), (a) => a.before);
}

/** Marks runs as deleted, or takes the mark back; done are those that were changed. */
export async function markRuns(runIds: readonly string[], what: "delete" | "restore", progress?: Progress): Promise<Outcome<string[]>> {
  return flat(await inParts(runIds, (part) => post<{ run_ids: string[] }>(`${NATIVE}/runs/${what}`, { run_ids: part }), progress), (a) => a.run_ids);
}

/** Moves runs; done are those that were elsewhere, by where they came from. */
export async function moveRuns(runIds: readonly string[], experimentId: string, progress?: Progress): Promise<Outcome<Record<string, string[]>>> {
  const { done, problem } = await inParts(runIds, (part) => post<{ before: Record<string, string[]> }>(`${NATIVE}/runs/move`, { run_ids: part, experiment_id: experimentId }), progress);
  const before = new Map<string, string[]>();
  for (const answer of done)
    for (const [from, ids] of Object.entries(answer.before)) before.set(from, [...(before.get(from) ?? []), ...ids]);
  return { done: Object.fromEntries(before), problem };
}

export async function weighRuns(runIds: readonly string[]): Promise<Weight> {
  const { done, problem } = await inParts(runIds, (part) => post<Weight>(`${NATIVE}/runs/weigh`, { run_ids: part }));
  if (problem) throw problem;
  return done.reduce((sum, a) => ({ runs: sum.runs + a.runs, files: sum.files + a.files, bytes: sum.bytes + a.bytes }), { runs: 0, files: 0, bytes: 0 });
}

export interface Purged {
  run_ids: string[];
  /** Runs that are gone, but whose files could not be removed. */
  files_left: string[];
}

/** Removes runs for good, with their artifacts. */
export async function purgeRuns(runIds: readonly string[], progress?: Progress): Promise<Outcome<Purged>> {
  const marked = await markRuns(runIds, "delete");
  if (marked.problem) return { done: { run_ids: [], files_left: [] }, problem: marked.problem };
  const { done, problem } = await inParts(runIds, (part) => post<Purged>(`${NATIVE}/runs/purge`, { run_ids: part }), progress, PURGED_AT_ONCE);
  return { done: { run_ids: done.flatMap((a) => a.run_ids), files_left: done.flatMap((a) => a.files_left) }, problem };
}

/** The outcome; its problem is thrown, where undoing has to be whole. */
export async function whole<T>(asked: Promise<Outcome<T>>): Promise<T> {
  const { done, problem } = await asked;
  if (problem) throw problem;
  return done;
}
