/** Colour slots: a run takes the lowest free one when it is drawn and keeps it until it is put away. "" is free. */

export const MOST_DRAWN = 30;

export function slotOf(slots: readonly string[], id: string): number | null {
  const at = slots.indexOf(id);
  return at < 0 ? null : at;
}

export function addSlot(slots: readonly string[], id: string): string[] {
  if (slots.includes(id)) return [...slots];
  const free = slots.indexOf("");
  if (free >= 0) return slots.map((s, i) => (i === free ? id : s));
  return slots.length < MOST_DRAWN ? [...slots, id] : [...slots];
}

export function removeSlot(slots: readonly string[], id: string): string[] {
  const left = slots.map((s) => (s === id ? "" : s));
  while (left.length && left[left.length - 1] === "") left.pop();
  return left;
}

export const toggleSlot = (slots: readonly string[], id: string) => (slots.includes(id) ? removeSlot(slots, id) : addSlot(slots, id));

/** The slots for exactly these runs, each keeping the one it had. */
export function assignSlots(before: readonly string[], ids: readonly string[]): string[] {
  const kept = before.map((id) => (ids.includes(id) ? id : ""));
  return ids.reduce<string[]>((slots, id) => addSlot(slots, id), removeSlot(kept, "\u0000"));
}
