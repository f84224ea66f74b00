export const DASHES = ["", "6 3", "1.5 3", "8 2 1.5 2"];
const SWATCH_DASHES = ["", "5 2", "2 2", "6 2 1.5 2"];

/** The colour of a slot as a CSS value; slots from 10 on repeat the colours with dashes. */
/** A colour of the one-way ramp; 0 is the best end, which stands out most from the ground. */
export const rampColour = (share: number) => `color-mix(in oklab, var(--c-ramp-0) ${Math.round((1 - share) * 100)}%, var(--c-ramp-1))`;
export const slotColour = (slot: number) => `var(--c${slot % 10})`;
export const slotDash = (slot: number) => DASHES[Math.floor(slot / 10) % DASHES.length]!;

/** A piece of the very line a run is drawn with; grey when it is not drawn. */
export function Swatch({ slot, shade, dash: further = 0 }: { slot: number | null; shade?: number | undefined; dash?: number }) {
  const dash = slot === null ? "" : SWATCH_DASHES[((shade === undefined ? Math.floor(slot / 10) : 0) + further) % SWATCH_DASHES.length]!;
  return (
    <svg width="16" height="10" viewBox="0 0 16 10" aria-hidden="true" className="swatch">
      <path d="M1 5h14" stroke={slot === null ? "var(--context)" : shade === undefined ? slotColour(slot) : rampColour(shade)} strokeWidth={slot === null ? 1.5 : 3} strokeLinecap={dash ? "butt" : "round"} strokeDasharray={dash} />
    </svg>
  );
}
