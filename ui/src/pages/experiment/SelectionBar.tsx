import { useState, type ComponentType } from "react";
import { BULK_RUNS, markRuns, whole } from "../../api/bulk";
import { allIds, exportRuns, type FileFormat } from "../../api/table";
import { formatCount } from "../../model/format";
import { locale, t } from "../../i18n";
import { told } from "../../parts/undo";
import { Button } from "../../ui/Button";
import { lazily } from "../../ui/lazily";
import { MenuButton, type MenuEntry } from "../../ui/Menu";
import { saveBlob } from "../../ui/save";
import { complain } from "../../ui/toast";
import type { BulkProps } from "./BulkDialogs";
import type { TableProps } from "./tableTypes";

const DIALOGS: Record<string, ComponentType<BulkProps>> = {
  tag: lazily(async () => (await import("./BulkDialogs")).TagDialog),
  move: lazily(async () => (await import("./BulkDialogs")).MoveDialog),
  purge: lazily(async () => (await import("./BulkDialogs")).PurgeDialog),
};

/** What can be done with the selected runs. Takes the place of the footer and covers no row. */
export function SelectionBar(p: TableProps) {
  const { view, state, selected } = p;
  const [asking, setAsking] = useState<string | null>(null);
  const [doing, setDoing] = useState<string | null>(null);
  const ids = [...selected];
  const only = ids.length === 1 ? ids[0]! : null;
  const more = !p.lines.grouped && ids.length < state.total && p.rows.every((r) => selected.has(r.run.run_id));
  /** Only what is still in the list stays selected: a run that somebody else has removed would stop every further attempt. */
  const drop = async () => {
    const left = new Set(await allIds({ ...p.asked, run_ids: ids }));
    p.onSelect(ids.filter((id) => !left.has(id)), false);
  };
  const done = (gone: boolean, problem: Error | null = null) => {
    if (problem) drop().catch(complain);
    else if (gone) p.onClearSelection();
    p.onChanged();
  };
  /** What takes a while says so in the bar, which does nothing else meanwhile. */
  const during = (text: string, work: () => Promise<void>) => {
    setDoing(text);
    work().catch(complain).finally(() => setDoing(null));
  };
  const far = (count: number) => ids.length > BULK_RUNS && setDoing(t.nOfMany(formatCount(count, locale), formatCount(ids.length, locale)));
  const mark = (what: "delete" | "restore") => during(what === "delete" ? t.archiving : t.restoring, async () => {
    const changed = await markRuns(ids, what, far);
    done(true, changed.problem);
    const text = (what === "delete" ? t.archived : t.restored)(changed.done.length);
    told(changed.done.length, text, changed.problem, () => whole(markRuns(changed.done, what === "delete" ? "restore" : "delete")).finally(() => done(false)));
  });
  const save = (format: FileFormat) => during(t.writingFile, async () => {
    // All of a search is named by the search: a list of ids has an end.
    const chosen = ids.length >= state.total ? {} : { run_ids: ids, filter: "", view: "all" as const };
    saveBlob(await exportRuns(format, { ...p.asked, columns: [], parts: undefined, ...chosen }), `runs.${format}`);
  });
  const file = (format: FileFormat, label: string): MenuEntry => ({ label, icon: "download", onSelect: () => save(format) });
  const purge: MenuEntry = { label: t.deleteForGood, icon: "trash", danger: true, onSelect: () => setAsking("purge") };
  const selectAll = () => during(t.readingIds, p.onSelectAll);
  const busy = doing !== null;
  const Asked = asking === null ? null : DIALOGS[asking];
  return (
    <div className="selbar" role="toolbar" aria-label={t.selected(ids.length)} data-testid="selection-bar">
      <b className="num">{t.selectedOf(formatCount(ids.length, locale), formatCount(Math.max(state.total, ids.length), locale))}</b>
      {busy && <span className="muted num doing" role="status">{doing}</span>}
      {more && !busy && <button type="button" className="linkish" onClick={selectAll}>{t.selectAllOf(formatCount(state.total, locale))}</button>}
      <Button look="primary" icon="compare" data-testid="compare-button" disabled={busy || ids.length < 2} onClick={p.onCompare}>{t.addToCompare}</Button>
      {!view.deleted && <Button look="ghost" icon="tag" disabled={busy} onClick={() => setAsking("tag")}>{t.tagRuns}</Button>}
      {!view.deleted && <Button look="ghost" icon="folder" disabled={busy} onClick={() => setAsking("move")}>{t.moveRuns}</Button>}
      <MenuButton look="ghost" icon="download" label={t.exportRuns} align="start" disabled={busy} entries={() => [file("csv", t.asCsv), file("parquet", t.asParquet)]}>{t.exportRuns}</MenuButton>
      {only && <Button look="ghost" icon="pin" onClick={() => p.onBase(only)}>{view.base === only ? t.clearBaseline : t.baseline}</Button>}
      {view.deleted
        ? <Button look="ghost" icon="undo" disabled={busy} onClick={() => mark("restore")}>{t.restoreIt}</Button>
        : <Button look="ghost" icon="archive" disabled={busy} onClick={() => mark("delete")}>{t.archive}</Button>}
      <MenuButton look="ghost" icon="more" label={t.more} disabled={busy} entries={() => [{ label: t.drawMenu, icon: "chart", hint: "Space", onSelect: p.onDrawSelected }, "line", purge]} />
      <span className="grow" />
      <Button look="ghost" icon="x" aria-label={t.clearSelection} onClick={p.onClearSelection} />
      {Asked && <Asked experimentId={p.experimentId} ids={ids} onDone={done} onClose={() => setAsking(null)} />}
    </div>
  );
}
