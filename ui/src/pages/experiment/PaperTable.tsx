import { useMemo } from "react";
import type { Column } from "../../model/columns";
import { formatCount } from "../../model/format";
import { slotOf } from "../../model/slots";
import { locale, t } from "../../i18n";
import { StatusGlyph } from "../../parts/Status";
import { useNow } from "../../ui/hooks";
import { Swatch } from "../../ui/Swatch";
import { Cell, GroupCellView } from "./cells";
import { formatsOf } from "./formats";
import { groupName } from "./RunRow";
import type { TableProps } from "./tableTypes";

/** What fits the width of a page beside the names, in pixels. */
const ROOM = 520;
/** More lines are no table that one reads on paper; the export has them all. */
const MOST_LINES = 500;

/** The first columns that fit. */
function fitting(columns: readonly Column[]): Column[] {
  let left = ROOM;
  return columns.filter(({ width }) => (left -= width) >= 0);
}

/** The runs or groups for paper: a plain table of the lines that are loaded and of the columns that fit, and what is left out. */
export function PaperTable(p: TableProps) {
  const now = useNow();
  const columns = useMemo(() => fitting(p.columns), [p.columns]);
  const formats = useMemo(() => formatsOf(columns, p.rows, [], p.main.lower), [columns, p.rows, p.main]);
  const items = Array.from({ length: Math.min(p.lines.count, MOST_LINES) }, (_, i) => p.lines.at(i)).filter((item) => item !== undefined);
  if (!items.length) return null;
  const left = [
    ...(items.length < p.lines.count ? [t.linesOf(formatCount(items.length, locale), formatCount(p.lines.count, locale))] : []),
    ...(columns.length < p.columns.length ? [t.columnsOf(formatCount(columns.length, locale), formatCount(p.columns.length, locale))] : []),
  ];
  return (
    <section className="papertable" data-testid="paper-table">
      <table className="plain">
        <thead><tr><th scope="col">{t.run}</th>{columns.map((column) => <th key={column.id} scope="col" className={column.left ? "l" : "r"}>{column.name}{column.kind === "metric" && column.aggregate !== "last" && <small className="muted"> {column.aggregate}</small>}</th>)}</tr></thead>
        <tbody>
          {items.map((item) => {
            if (item.kind === "group")
              return <tr key={`g${item.group.id}`}><th scope="row">{groupName(item.group)} <span className="muted num">{t.groupRuns(item.group.runs)}</span></th>{columns.map((column) => <td key={column.id} className={column.left ? "l" : "r"}><GroupCellView group={item.group} by={p.view.group} column={column} formats={formats} baseline={p.base} direction={p.main.direction} /></td>)}</tr>;
            const { run } = item.row;
            const slot = slotOf(p.slots, run.run_id);
            return <tr key={run.run_id}><th scope="row"><span className="papername">{slot !== null && <Swatch slot={slot} />}<StatusGlyph status={run.status} />{run.name}</span></th>{columns.map((column) => <td key={column.id} className={column.left ? "l" : "r"}><Cell row={item.row} column={column} formats={formats} baseline={p.base} slot={slot} now={now} direction={p.main.direction} /></td>)}</tr>;
          })}
        </tbody>
      </table>
      {left.length > 0 && <p className="muted num">{left.join(", ")}</p>}
    </section>
  );
}
