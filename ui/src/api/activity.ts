import { get, NATIVE } from "./http";

/** Runs that began on each day, the oldest first, and how many of them failed. */
export interface Activity {
  runs: number[];
  failed: number[];
}

/** By experiment; one without runs in these days is missing. Days are 24 hours from `since`, Unix milliseconds. */
export async function getActivity(since: number, days: number, signal?: AbortSignal): Promise<Record<string, Activity>> {
  return (await get<{ experiments: Record<string, Activity> }>(`${NATIVE}/experiments/activity`, { since: String(since), days: String(days) }, signal)).experiments;
}
