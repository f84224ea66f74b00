/** Sets of runs in an address. They stand in its fragment, which no server and no proxy is sent: it has room for tens of thousands. */

const WHOLE = /^[0-9a-f]{32}$/;
const BYTES = 16;
/** Characters that are made into text at a time: a call has no more arguments than so many. */
const CHUNK = 24_576;

/** Ids of 32 hexadecimal digits as 16 bytes each, in the alphabet of addresses; others by their names. */
export function packIds(ids: readonly string[]): string {
  if (!ids.every((id) => WHOLE.test(id))) return `,${ids.map(encodeURIComponent).join(",")}`;
  const bytes = new Uint8Array(ids.length * BYTES);
  ids.forEach((id, i) => {
    for (let k = 0; k < BYTES; k++) bytes[i * BYTES + k] = Number.parseInt(id.slice(2 * k, 2 * k + 2), 16);
  });
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += btoa(String.fromCharCode(...bytes.subarray(at, at + CHUNK)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The ids of a packed text; none where it is nonsense. */
export function unpackIds(text: string): string[] {
  try {
    if (text.startsWith(",")) return text.slice(1).split(",").filter(Boolean).map(decodeURIComponent);
    const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const digits = Array.from({ length: bytes.length - (bytes.length % BYTES) }, (_, i) => bytes.charCodeAt(i).toString(16).padStart(2, "0"));
    return Array.from({ length: digits.length / BYTES }, (_, i) => digits.slice(i * BYTES, (i + 1) * BYTES).join(""));
  } catch {
    return [];
  }
}

/** Part of a search: only these runs of it, or all but these. The ids are packed. */
export type Part = { only: string } | { but: string };

/** The part that a fragment names, and null for any other fragment. */
export function readPart(fragment: string): Part | null {
  const [, kind, text] = /^#(only|but)=(.+)$/.exec(fragment) ?? [];
  if (!kind || !text) return null;
  return kind === "only" ? { only: text } : { but: text };
}

export const writePart = (part: Part | null) => (part === null ? "" : "only" in part ? `#only=${part.only}` : `#but=${part.but}`);
