import { under } from "../url/base";
import { get, NATIVE, queryString } from "./http";

export interface LogOrigin {
  source: string;
  stream: string;
}
export interface OpenLine extends LogOrigin {
  time: number;
  text: string;
}

/** Lines of a run's console output, numbered from `first`; see docs/reference/logs.md. */
export interface LogPage {
  total: number;
  kept_from: number;
  dropped: number;
  first: number;
  origins: LogOrigin[];
  origin: number[];
  times: number[];
  texts: string[];
  open: OpenLine[];
}

export interface LogMatches {
  numbers: number[];
  after: number | null;
}

export function readLines(runId: string, where: { after?: number; before?: number }, limit: number, signal?: AbortSignal): Promise<LogPage> {
  const text = (value: number | undefined) => (value === undefined ? undefined : String(value));
  return get<LogPage>(`${NATIVE}/runs/logs`, { run_id: runId, after: text(where.after), before: text(where.before), limit: String(limit) }, signal);
}

const MATCHES = 10_000;

/** The numbers of lines that contain a text: as many as one page of the search holds, and whether there are more. */
export async function searchLines(runId: string, text: string, signal?: AbortSignal): Promise<{ numbers: number[]; more: boolean }> {
  const numbers: number[] = [];
  let after: number | null = 0;
  while (after !== null && numbers.length < MATCHES) {
    const found: LogMatches = await get<LogMatches>(`${NATIVE}/runs/logs/search`, { run_id: runId, text, after: String(after), limit: String(MATCHES) }, signal);
    numbers.push(...found.numbers);
    after = found.after;
  }
  return { numbers, more: after !== null };
}

/** Where all lines are saved from. */
export const logTextHref = (runId: string): string => under(`${NATIVE}/runs/logs.txt`) + queryString({ run_id: runId });
