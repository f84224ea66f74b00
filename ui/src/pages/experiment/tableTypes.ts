import type { Row } from "../../api/table";
import type { TableState } from "../../api/tableStore";
import type { Column } from "../../model/columns";
import type { Nested } from "../../model/nest";
import type { SortKey } from "../../url/experiment";
import type { MainMetric } from "./useExperiment";

/** What the table and its bars share. */
export interface TableProps {
  experimentId: string;
  rows: Row[];
  nested: Nested;
  /** What the page of a run is told about this list. */
  from: string;
  state: TableState;
  columns: Column[];
  sort: SortKey[];
  main: MainMetric;
  slots: string[];
  selected: ReadonlySet<string>;
  cursor: number;
  base: string;
  query: string;
  deleted: boolean;
  filtered: boolean;
  onSort: (sort: SortKey[]) => void;
  onNeed: (index: number) => void;
  onDraw: (id: string) => void;
  onSelect: (ids: string[], on: boolean) => void;
  onCursor: (index: number) => void;
  onBase: (id: string) => void;
  onOpen: (id: string) => void;
  onRelease: () => void;
  onHold: (hold: boolean) => void;
  onClearFilter: () => void;
  onColumns: (ids: string[]) => void;
  onCompare: () => void;
  onClearSelection: () => void;
  onChanged: () => void;
  onDrawSelected: () => void;
  onShowActive: () => void;
}
