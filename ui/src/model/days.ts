export const DAYS = 14;
const DAY_MS = 86_400_000;

/** The local midnight at which the first of the last `DAYS` days began; today is the last of them. */
export function firstDay(now: number): number {
  const today = new Date(now).setHours(0, 0, 0, 0);
  return today - (DAYS - 1) * DAY_MS;
}

export const dayAt = (since: number, place: number) => since + place * DAY_MS;

/** Many lists of counts as one, day by day. */
export const addUp = (lists: readonly (readonly number[])[]): number[] => Array.from({ length: DAYS }, (_, i) => lists.reduce((sum, list) => sum + (list[i] ?? 0), 0));
