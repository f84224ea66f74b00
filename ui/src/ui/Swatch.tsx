export const DASHES = ["", "6 3", "1.5 3", "8 2 1.5 2"];
const SWATCH_DASHES = ["", "5 2", "2 2", "6 2 1.5 2"];

/** The colour of a slot as a CSS value; slots from 10 on repeat the colours with dashes. */
export const slotColour = (slot: number) => `var(--c${slot % 10})`;
export const slotDash = (slot: number) => DASHES[Math.floor(slot / 10) % DASHES.length]!;

/** A piece of the very line a run is drawn with; grey when it is not drawn. */
export function Swatch({ slot, dash: further = 0 }: { slot: number | null; dash?: number }) {
  const dash = slot === null ? "" : SWATCH_DASHES[(Math.floor(slot / 10) + further) % SWATCH_DASHES.length]!;
  return (
    <svg width="16" height="10" viewBox="0 0 16 10" aria-hidden="true" className="swatch">
      <path d="M1 5h14" stroke={slot === null ? "var(--context)" : slotColour(slot)} strokeWidth={slot === null ? 1.5 : 3} strokeLinecap={dash ? "butt" : "round"} strokeDasharray={dash} />
    </svg>
  );
}
