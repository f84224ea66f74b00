import { useState, type ComponentType } from "react";
import { markRuns } from "../../api/bulk";
import { exportRuns, type FileFormat } from "../../api/table";
import { formatCount } from "../../model/format";
import { locale, t } from "../../i18n";
import { offerUndo } from "../../parts/undo";
import { Button } from "../../ui/Button";
import { MenuButton, type MenuEntry } from "../../ui/Menu";
import { saveBlob } from "../../ui/save";
import { complain } from "../../ui/toast";
import { MoveDialog, PurgeDialog, TagDialog, type BulkProps } from "./BulkDialogs";
import type { TableProps } from "./tableTypes";

const DIALOGS: Record<string, ComponentType<BulkProps>> = { tag: TagDialog, move: MoveDialog, purge: PurgeDialog };

/** What can be done with the selected runs. Takes the place of the footer and covers no row. */
export function SelectionBar(p: TableProps) {
  const { view, state, selected } = p;
  const [asking, setAsking] = useState<string | null>(null);
  const [reading, setReading] = useState(false);
  const ids = [...selected];
  const only = ids.length === 1 ? ids[0]! : null;
  const more = !p.lines.grouped && ids.length < state.total && p.rows.every((r) => selected.has(r.run.run_id));
  const done = (gone: boolean) => {
    if (gone) p.onClearSelection();
    p.onChanged();
  };
  const mark = async (what: "delete" | "restore") => {
    const changed = await markRuns(ids, what);
    done(true);
    offerUndo(what === "delete" ? t.archived(changed.length) : t.restored(changed.length), () => markRuns(changed, what === "delete" ? "restore" : "delete").then(() => done(false)));
  };
  const save = async (format: FileFormat) => {
    // All of a search is named by the search: a list of ids has an end.
    const chosen = ids.length >= state.total ? {} : { run_ids: ids, filter: "", view: "all" as const };
    saveBlob(await exportRuns(format, { ...p.asked, columns: [], parts: undefined, ...chosen }), `runs.${format}`);
  };
  const file = (format: FileFormat, label: string): MenuEntry => ({ label, icon: "download", onSelect: () => void save(format).catch(complain) });
  const purge: MenuEntry = { label: t.deleteForGood, icon: "trash", danger: true, onSelect: () => setAsking("purge") };
  const selectAll = () => {
    setReading(true);
    p.onSelectAll().catch(complain).finally(() => setReading(false));
  };
  const Asked = asking === null ? null : DIALOGS[asking];
  return (
    <div className="selbar" role="toolbar" aria-label={t.selected(ids.length)} data-testid="selection-bar">
      <b className="num">{t.selectedOf(formatCount(ids.length, locale), formatCount(Math.max(state.total, ids.length), locale))}</b>
      {more && <button type="button" className="linkish" disabled={reading} onClick={selectAll}>{reading ? t.readingIds : t.selectAllOf(formatCount(state.total, locale))}</button>}
      <Button look="primary" icon="compare" data-testid="compare-button" disabled={ids.length < 2} onClick={p.onCompare}>{t.addToCompare}</Button>
      {!view.deleted && <Button look="ghost" icon="tag" onClick={() => setAsking("tag")}>{t.tagRuns}</Button>}
      {!view.deleted && <Button look="ghost" icon="folder" onClick={() => setAsking("move")}>{t.moveRuns}</Button>}
      <MenuButton look="ghost" icon="download" label={t.exportRuns} align="start" entries={() => [file("csv", t.asCsv), file("parquet", t.asParquet)]}>{t.exportRuns}</MenuButton>
      {only && <Button look="ghost" icon="pin" onClick={() => p.onBase(only)}>{view.base === only ? t.clearBaseline : t.baseline}</Button>}
      {view.deleted
        ? <Button look="ghost" icon="undo" onClick={() => void mark("restore").catch(complain)}>{t.restoreIt}</Button>
        : <Button look="ghost" icon="archive" onClick={() => void mark("delete").catch(complain)}>{t.archive}</Button>}
      <MenuButton look="ghost" icon="more" label={t.more} entries={() => [{ label: t.drawMenu, icon: "chart", hint: "Space", onSelect: p.onDrawSelected }, "line", purge]} />
      <span className="grow" />
      <Button look="ghost" icon="x" aria-label={t.clearSelection} onClick={p.onClearSelection} />
      {Asked && <Asked experimentId={p.experimentId} ids={ids} onDone={done} onClose={() => setAsking(null)} />}
    </div>
  );
}
