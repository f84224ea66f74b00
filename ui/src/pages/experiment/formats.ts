import type { Row } from "../../api/table";
import { metricValue, type Column } from "../../model/columns";
import { digitsFor, type Digits } from "../../model/format";

export interface Heat {
  best: number;
  /** From the best value to where the colour ends. */
  reach: number;
  lower: boolean;
}
export interface Formats {
  digits: Map<string, Digits>;
  heat: Map<string, Heat>;
}

export const SAMPLE = 400;

/** One number format a column, and the colour scales of those in `heated`, from some rows. */
export function formatsOf(columns: Column[], rows: Row[], heated: readonly string[], lower: (key: string) => boolean): Formats {
  const digits = new Map<string, Digits>();
  const heat = new Map<string, Heat>();
  for (const column of columns) {
    const numeric = column.kind === "metric" || column.kind === "spark";
    if (!numeric && !heated.includes(column.id)) continue;
    const down = column.kind === "param" || lower(column.key);
    const values = rows.map((row) => (numeric ? metricValue(row, column.key, column.aggregate, down) : asNumber(row.texts[column.id])));
    if (numeric) digits.set(column.id, digitsFor(values));
    if (!heated.includes(column.id)) continue;
    const finite = values.filter((v): v is number => v !== null && Number.isFinite(v)).sort((a, b) => (down ? a - b : b - a));
    if (finite.length < 3) continue;
    const best = finite[0]!;
    const middle = finite[Math.floor(finite.length * 0.75)]!;
    heat.set(column.id, { best, reach: Math.abs(middle - best) || 1, lower: down });
  }
  return { digits, heat };
}

export function asNumber(text: string | null | undefined): number | null {
  const number = text === null || text === undefined || text.trim() === "" ? NaN : Number(text);
  return Number.isNaN(number) ? null : number;
}

/** How strong the pad behind a value is: full for the best and for what is better yet, nothing from the third quarter on. */
export function heatOf(value: number | null, heat: Heat | undefined): number {
  if (value === null || !heat || !Number.isFinite(value)) return 0;
  const behind = (heat.lower ? value - heat.best : heat.best - value) / heat.reach;
  const left = Math.min(1, Math.max(0, 1 - behind));
  return Math.round(left ** 1.4 * 95) / 100;
}
