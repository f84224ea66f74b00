import { useState } from "react";
import { deleteRun, forRuns, restoreRun } from "../../api/runs";
import { csvHref } from "../../api/table";
import { orderBy } from "../../model/columns";
import { t } from "../../i18n";
import { Button } from "../../ui/Button";
import { Ask } from "../../ui/Dialog";
import { Icon } from "../../ui/Icon";
import { complain } from "../../ui/toast";
import type { TableProps } from "./tableTypes";

const MOST_IN_A_FILTER = 100;

/** What can be done with the selected runs. Takes the place of the footer and covers no row. */
export function SelectionBar(p: TableProps) {
  const [asking, setAsking] = useState(false);
  const ids = [...p.selected];
  const only = ids.length === 1 ? ids[0]! : null;
  const done = () => {
    p.onClearSelection();
    p.onChanged();
  };
  const filter = `attributes.run_id IN (${ids.map((id) => `'${id}'`).join(", ")})`;
  return (
    <div className="selbar" role="toolbar" aria-label={t.selected(ids.length)}>
      <b className="num">{t.selected(ids.length)}</b>
      <Button look="primary" icon="compare" data-testid="compare-button" disabled={ids.length < 2} onClick={p.onCompare}>{t.addToCompare}</Button>
      <Button look="ghost" icon="chart" onClick={p.onDrawSelected}>{t.drawMenu}</Button>
      {ids.length <= MOST_IN_A_FILTER && <a className="btn ghost" href={csvHref(p.experimentId, filter, orderBy(p.sort), "all")} download><Icon name="download" small />{t.exportCsv}</a>}
      {only && <Button look="ghost" icon="pin" onClick={() => p.onBase(only)}>{p.base === only ? t.clearBaseline : t.baseline}</Button>}
      {p.deleted
        ? <Button look="ghost" icon="undo" onClick={() => void forRuns(ids, restoreRun).then(done, complain)}>{t.restoreRuns}</Button>
        : <Button look="ghost" className="bad" icon="trash" onClick={() => setAsking(true)}>{t.remove}</Button>}
      <span className="grow" />
      <Button look="ghost" icon="x" aria-label={t.clearSelection} onClick={p.onClearSelection} />
      {asking && <Ask title={t.deleteRuns(ids.length)} text={t.deleteRunsText} action={t.remove} danger onAnswer={() => forRuns(ids, deleteRun).then(done)} onClose={() => setAsking(false)} />}
    </div>
  );
}
