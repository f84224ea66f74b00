import type { Row } from "../../api/table";
import { useKeys } from "../../ui/keys";
import type { Layout } from "../../url/experiment";

interface TableKeys {
  rows: Row[];
  cursor: number;
  setCursor: (index: number) => void;
  draw: (id: string) => void;
  open: (id: string) => void;
  toggle: (id: string) => void;
  setBase: (id: string) => void;
  compare: () => void;
  clear: () => void;
  filter: () => void;
  differing: () => void;
  layout: (layout: Layout) => void;
}

/** The keys of the experiment page, acting on the row under the cursor. */
export function useTableKeys(p: TableKeys): void {
  const at = p.rows[p.cursor]?.run.run_id;
  const move = (by: number) => p.setCursor(Math.min(p.rows.length - 1, Math.max(0, p.cursor + by)));
  const onRow = (action: (id: string) => void) => () => at !== undefined && action(at);
  useKeys({
    j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
    x: onRow(p.toggle), " ": onRow(p.draw), Enter: onRow(p.open), b: onRow(p.setBase),
    c: p.compare, d: p.differing, f: p.filter, Escape: p.clear,
    o: () => document.getElementById("column-chooser")?.click(),
    1: () => p.layout("table"), 2: () => p.layout("both"), 3: () => p.layout("charts"),
  });
}
