import type { Row, TableQuery } from "../../api/table";
import type { Group } from "../../api/tableGroups";
import type { TableState } from "../../api/tableStore";
import type { Column } from "../../model/columns";
import type { Nested } from "../../model/nest";
import type { ExperimentView, SortKey } from "../../url/experiment";
import type { Lines } from "./useLines";
import type { MainMetric } from "./useExperiment";

/** What the table and its bars share. */
export interface TableProps {
  experimentId: string;
  /** The first rows, as far as they are loaded without a gap. */
  rows: Row[];
  lines: Lines;
  nested: Nested;
  /** What the page of a run is told about this list. */
  from: string;
  state: TableState;
  /** What the rows were asked for with. */
  asked: TableQuery;
  view: ExperimentView;
  change: (change: Partial<ExperimentView>, replace?: boolean) => void;
  columns: Column[];
  sort: SortKey[];
  main: MainMetric;
  slots: string[];
  selected: ReadonlySet<string>;
  cursor: number;
  base: Row | null;
  onDraw: (id: string) => void;
  onSelect: (ids: string[], on: boolean) => void;
  onSelectRange: (from: number, to: number, on: boolean) => void;
  onSelectAll: () => Promise<void>;
  onCursor: (index: number) => void;
  onBase: (id: string) => void;
  onOpen: (id: string) => void;
  onToggleGroup: (group: Group) => void;
  onRelease: () => void;
  onHold: (hold: boolean) => void;
  onCompare: () => void;
  onClearSelection: () => void;
  /** Something was done to runs: what is shown is out of date. */
  onChanged: () => void;
  onDrawSelected: () => void;
}
