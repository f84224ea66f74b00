/** Rows of a side by side comparison: what differs first, what is equal folded away. */

export interface CompareLine<T> {
  key: string;
  values: T[];
  differs: boolean;
}

/** Splits lines into differing and equal ones, each in the given order. */
export function fold<T>(lines: CompareLine<T>[]): { differing: CompareLine<T>[]; equal: CompareLine<T>[] } {
  return { differing: lines.filter((l) => l.differs), equal: lines.filter((l) => !l.differs) };
}

/** One line a key over all runs; a value that some run lacks is `null` and counts as different. */
export function textLines(keys: readonly string[], runs: readonly Record<string, string | null | undefined>[]): CompareLine<string | null>[] {
  return keys.map((key) => {
    const values = runs.map((run) => run[key] ?? null);
    return { key, values, differs: values.some((v) => v !== values[0]) };
  });
}

/** Indices of the best finite values (ties share); empty when all are the same or fewer than two are there. */
export function bestOf(values: readonly (number | null)[], lower: boolean): Set<number> {
  const finite = values.filter((v): v is number => v !== null && Number.isFinite(v));
  const best = lower ? Math.min(...finite) : Math.max(...finite);
  if (finite.length < 2 || finite.every((v) => v === best)) return new Set();
  return new Set(values.flatMap((v, i) => (v === best ? [i] : [])));
}

/** A name for a narrow head: the shared beginning, which may lose its end, and the rest, which is what tells runs apart. */
export function splitName(name: string, prefix: string, most: number): { shared: string; own: string } {
  const own = name.slice(prefix.length);
  return { shared: prefix, own: own.length > most ? `${own.slice(0, Math.ceil(most / 2) - 1)}…${own.slice(-Math.floor(most / 2))}` : own };
}

/** The part that all names share at their beginning, cut at a word's end ("standard_lr1e-4" and "standard_lr5e-5": "standard_"). */
export function commonPrefix(names: readonly string[]): string {
  const first = names[0];
  if (first === undefined || names.length < 2) return "";
  let n = 0;
  while (n < first.length && names.every((name) => name[n] === first[n])) n++;
  while (n > 0 && (!/[_\-/. ]/.test(first[n - 1]!) || /\de-$/i.test(first.slice(0, n)) || /\d\.$/.test(first.slice(0, n)))) n--;
  const cut = n;
  return names.some((name) => name.length === cut) ? "" : first.slice(0, cut);
}
