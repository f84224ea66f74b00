import type { Group } from "../../api/tableGroups";
import { useKeys } from "../../ui/keys";
import type { Layout } from "../../url/experiment";
import type { Lines } from "./useLines";

interface TableKeys {
  lines: Lines;
  cursor: number;
  setCursor: (index: number) => void;
  draw: (id: string) => void;
  open: (id: string) => void;
  toggle: (id: string) => void;
  setBase: (id: string) => void;
  compare: () => void;
  clear: () => void;
  toggleGroup: (group: Group) => void;
  filter: () => void;
  differing: () => void;
  layout: (layout: Layout) => void;
}

/** The keys of the experiment page, acting on the row under the cursor. */
export function useTableKeys(p: TableKeys): void {
  const item = p.lines.at(p.cursor);
  const move = (by: number) => p.setCursor(Math.min(p.lines.count - 1, Math.max(0, p.cursor + by)));
  const onRow = (action: (id: string) => void) => () => {
    if (item?.kind === "run") action(item.row.run.run_id);
  };
  const enter = () => (item?.kind === "group" ? p.toggleGroup(item.group) : onRow(p.open)());
  useKeys({
    j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
    x: onRow(p.toggle), " ": onRow(p.draw), Enter: enter, b: onRow(p.setBase),
    c: p.compare, d: p.differing, f: p.filter, Escape: p.clear,
    o: () => document.getElementById("column-chooser")?.click(), u: () => document.getElementById("group-menu")?.click(), v: () => document.getElementById("view-menu")?.click(),
    1: () => p.layout("table"), 2: () => p.layout("both"), 3: () => p.layout("charts"),
  });
}
