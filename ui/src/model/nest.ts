import type { Row } from "../api/table";

/** Child runs among the rows of a table. */
export const PARENT_COLUMN = "tags.mlflow.parentRunId";
const DEEPEST = 4;

export interface Nested {
  rows: Row[];
  /** How deep a run stands below a parent right above it; absent at the top. */
  depth: Map<string, number>;
  /** The name of the parent, where the rows stand in an order of their own. */
  childOf: Map<string, string>;
}

const parentOf = (row: Row) => row.texts[PARENT_COLUMN] ?? null;

/**
 * Children right after their parent, indented, when the order is one of the runs themselves. An order by a metric or a
 * parameter stays, and children whose parent is loaded name it.
 */
export function nest(rows: Row[], sort: readonly { key: string }[]): Nested {
  const none: Nested = { rows, depth: new Map(), childOf: new Map() };
  if (!rows.some((row) => parentOf(row) !== null)) return none;
  const byId = new Map(rows.map((row) => [row.run.run_id, row]));
  const children = rows.filter((row) => byId.has(parentOf(row) ?? "") && parentOf(row) !== row.run.run_id);
  const found = none;
  if (!children.length) return found;
  if (sort.some(({ key }) => !key.startsWith("attributes.")))
    return { ...found, childOf: new Map(children.map((row) => [row.run.run_id, byId.get(parentOf(row)!)!.run.name])) };
  const below = new Map<string, Row[]>();
  for (const row of children) below.set(parentOf(row)!, [...(below.get(parentOf(row)!) ?? []), row]);
  const out: Row[] = [];
  const placed = new Set<string>();
  const place = (row: Row, depth: number) => {
    if (placed.has(row.run.run_id)) return;
    placed.add(row.run.run_id);
    out.push(row);
    if (depth > 0) found.depth.set(row.run.run_id, Math.min(depth, DEEPEST));
    for (const child of below.get(row.run.run_id) ?? []) place(child, depth + 1);
  };
  const own = new Set(children);
  for (const row of rows) if (!own.has(row)) place(row, 0);
  // Runs that name each other as parents would be nowhere.
  for (const row of rows) place(row, 0);
  return { ...found, rows: out };
}
