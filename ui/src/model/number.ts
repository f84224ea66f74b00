export type WireNumber = number | string | null | undefined;

const WORDS: Record<string, number> = { NaN: NaN, Infinity: Infinity, "-Infinity": -Infinity };

/** A float of a JSON answer, where the three non-finite values are words. */
export function toNumber(value: WireNumber): number | null {
  if (value === null || value === undefined) return null;
  return typeof value === "number" ? value : (WORDS[value] ?? Number(value));
}

