import { axisOf, placeOn, valueOf } from "../../model/compare";
import type { Row } from "../../api/table";
import { MOST_DRAWN } from "../../model/slots";
import { rampColour, slotColour } from "../../ui/Swatch";

export interface Colours {
  of: (row: Row) => string;
  slot: (id: string) => number | null;
  /** Where a run stands on the ramp, 0 to 1; null where it has no value, or every run has its own colour. */
  shade: (row: Row) => number | null;
  /** The column on the ramp; null where every run has its own colour. */
  column: string | null;
  low: number;
  high: number;
}

/** How runs are coloured: each by itself while there are colours, else by a column. */
export function coloursOf(rows: readonly Row[], column: string | null, lower: boolean): Colours {
  const slots = new Map(rows.slice(0, MOST_DRAWN).map((row, i) => [row.run.run_id, i]));
  const slot = (id: string) => (column === null ? (slots.get(id) ?? null) : null);
  if (column === null) return { slot, shade: () => null, column, low: 0, high: 0, of: (row) => (slots.has(row.run.run_id) ? slotColour(slots.get(row.run.run_id)!) : "var(--context)") };
  const axis = axisOf(column, rows);
  const turned = column.startsWith("metrics.") && !lower;
  const shade = (row: Row) => {
    const place = placeOn(axis, valueOf(row, column));
    return place === null ? null : turned ? 1 - place : place;
  };
  return { slot, shade, column, low: axis.low, high: axis.high, of: (row) => {
    const place = shade(row);
    return place === null ? "var(--context)" : rampColour(place);
  } };
}
