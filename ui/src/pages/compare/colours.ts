import { axisOf, placeOn, valueOf } from "../../model/compare";
import type { Row } from "../../api/table";
import { MOST_DRAWN } from "../../model/slots";
import { slotColour } from "../../ui/Swatch";

export interface Colours {
  of: (row: Row) => string;
  slot: (id: string) => number | null;
  /** The column on the ramp; null where every run has its own colour. */
  column: string | null;
  low: number;
  high: number;
}

/** A colour of the one-way ramp; 0 is the best end, which stands out most from the ground. */
export const ramp = (share: number) => `color-mix(in oklab, var(--c-ramp-0) ${Math.round((1 - share) * 100)}%, var(--c-ramp-1))`;

/** How runs are coloured: each by itself while there are colours, else by a column. */
export function coloursOf(rows: readonly Row[], column: string | null, lower: boolean): Colours {
  const slots = new Map(rows.slice(0, MOST_DRAWN).map((row, i) => [row.run.run_id, i]));
  const slot = (id: string) => (column === null ? (slots.get(id) ?? null) : null);
  if (column === null) return { slot, column, low: 0, high: 0, of: (row) => (slots.has(row.run.run_id) ? slotColour(slots.get(row.run.run_id)!) : "var(--context)") };
  const axis = axisOf(column, rows);
  const turned = column.startsWith("metrics.") && !lower;
  return { slot, column, low: axis.low, high: axis.high, of: (row) => {
    const place = placeOn(axis, valueOf(row, column));
    return place === null ? "var(--context)" : ramp(turned ? 1 - place : place);
  } };
}
