/** Finds names by parts of them, as people type them. */

export interface Match {
  score: number;
  /** Places of the found letters. */
  at: number[];
}

const [WHOLE, START, WORD, NEXT] = [60, 30, 12, 6];
const isEdge = (text: string, i: number) => i === 0 || /[\s/_.\-:@]/.test(text[i - 1]!) || (/[A-Z]/.test(text[i]!) && /[a-z]/.test(text[i - 1]!));

/** How well a name answers to a query: all its letters in their order, words and neighbours before scattered ones; null when it does not. */
export function fuzzy(query: string, text: string): Match | null {
  const wish = query.toLowerCase().replace(/\s+/g, "");
  if (!wish) return { score: 0, at: [] };
  const name = text.toLowerCase();
  const plain = name.indexOf(query.trim().toLowerCase());
  if (plain >= 0) {
    const length = query.trim().length;
    const bonus = (plain === 0 ? START : isEdge(text, plain) ? WORD : 0) + (length === name.length ? WHOLE : 0);
    return { score: 100 + bonus - text.length / 100, at: Array.from({ length }, (_, i) => plain + i) };
  }
  return scattered(wish, name, text);
}

function scattered(wish: string, name: string, text: string): Match | null {
  const at: number[] = [];
  let score = 0;
  for (const letter of wish) {
    const from = (at[at.length - 1] ?? -1) + 1;
    const near = name.indexOf(letter, from);
    if (near < 0) return null;
    // A later beginning of a word is what was meant more often than the next letter anywhere.
    let place = near;
    for (let i = near; i < name.length && i < near + 24; i++) if (name[i] === letter && isEdge(text, i)) { place = i; break; }
    if (near === from && at.length) place = near;
    score += place === from && at.length ? NEXT : isEdge(text, place) ? WORD / 2 : 0;
    at.push(place);
  }
  const spread = at[at.length - 1]! - at[0]! + 1 - wish.length;
  return spread > 3 * wish.length + 8 ? null : { score: score - spread / 2 - text.length / 100, at };
}

/** The best of some things for a query, best first; without a query as they come. */
export function best<T>(query: string, things: readonly T[], nameOf: (thing: T) => string, most: number): { thing: T; at: number[] }[] {
  if (!query.trim()) return things.slice(0, most).map((thing) => ({ thing, at: [] }));
  const found = things.flatMap((thing, i) => {
    const match = fuzzy(query, nameOf(thing));
    return match ? [{ thing, at: match.at, score: match.score, i }] : [];
  });
  return found.sort((a, b) => b.score - a.score || a.i - b.i).slice(0, most);
}
