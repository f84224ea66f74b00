import { useQuery } from "@tanstack/react-query";
import { useMemo, useState, type FormEvent } from "react";
import { changeTags, moveRuns, purgeRuns, weighRuns } from "../../api/bulk";
import { formatBytes } from "../../model/format";
import { locale, t } from "../../i18n";
import { useColumns, useExperiments } from "../../parts/queries";
import { offerUndo } from "../../parts/undo";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Icon } from "../../ui/Icon";
import { complain, say } from "../../ui/toast";

export interface BulkProps {
  experimentId: string;
  ids: string[];
  /** The runs have changed; with `gone` they are no longer in the list. */
  onDone: (gone: boolean) => void;
  onClose: () => void;
}

/** A question whose answer is sent; a refusal is shown inside, and the dialog stays. */
function useSending(send: () => Promise<void>, onClose: () => void) {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    send().then(onClose, (error: unknown) => {
      setProblem(error instanceof Error ? error.message : t.failed);
      setBusy(false);
    });
  };
  return { problem, busy, submit };
}

export function TagDialog({ experimentId, ids, onDone, onClose }: BulkProps) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const columns = useColumns([experimentId]);
  const known = columns.data?.tags.find((tag) => tag.key === key.trim());
  const send = async () => {
    const before = await changeTags(ids.map((run_id) => ({ run_id, key: key.trim(), value: value === "" ? null : value })));
    const changed = before.filter((old) => old.value !== (value === "" ? null : value));
    onDone(false);
    if (!changed.length) return say(t.nothingChanged);
    offerUndo(t.tagged(changed.length), () => changeTags(changed).then(() => onDone(false)));
  };
  const { problem, busy, submit } = useSending(send, onClose);
  return (
    <Dialog title={t.tagTitle(ids.length)} onClose={onClose}>
      <form onSubmit={submit}>
        <div className="pair">
          <label className="field"><span>{t.tagKey}</span><input autoFocus value={key} list="bulk-tag-keys" autoComplete="off" spellCheck={false} onChange={(e) => setKey(e.target.value)} /></label>
          <label className="field"><span>{t.tagValue}</span><input value={value} list="bulk-tag-values" autoComplete="off" spellCheck={false} onChange={(e) => setValue(e.target.value)} /></label>
        </div>
        <datalist id="bulk-tag-keys">{columns.data?.tags.filter((tag) => !tag.key.startsWith("mlflow.")).slice(0, 100).map((tag) => <option key={tag.key} value={tag.key} />)}</datalist>
        <datalist id="bulk-tag-values">{known?.values.map((one) => <option key={one} value={one} />)}</datalist>
        <p className="after">{t.tagText}</p>
        {problem && <p className="bad" role="alert">{problem}</p>}
        <div className="dialog-end">
          <Button look="ghost" onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" look="primary" disabled={busy || !key.trim()}>{value === "" ? t.removeIt : t.setTag}</Button>
        </div>
      </form>
    </Dialog>
  );
}

const MOST_LISTED = 200;

export function MoveDialog({ experimentId, ids, onDone, onClose }: BulkProps) {
  const [search, setSearch] = useState("");
  const [target, setTarget] = useState("");
  const experiments = useExperiments("active");
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = (experiments.data ?? []).filter((e) => e.experiment_id !== experimentId && words.every((w) => e.name.toLowerCase().includes(w)));
  const chosen = found.find((e) => e.experiment_id === target);
  const send = async () => {
    if (!chosen) return;
    const before = await moveRuns(ids, chosen.experiment_id);
    const count = Object.values(before).reduce((sum, list) => sum + list.length, 0);
    onDone(true);
    if (!count) return say(t.nothingChanged);
    offerUndo(t.moved(count, chosen.name), async () => {
      for (const [from, list] of Object.entries(before)) await moveRuns(list, from);
      onDone(false);
    });
  };
  const { problem, busy, submit } = useSending(send, onClose);
  return (
    <Dialog title={t.moveTitle(ids.length)} onClose={onClose}>
      <form onSubmit={submit}>
        <p>{t.moveText}</p>
        <label className="search wide"><Icon name="search" small /><input autoFocus value={search} placeholder={t.searchExperiments} aria-label={t.searchExperiments} onChange={(e) => setSearch(e.target.value)} /></label>
        <fieldset className="picklist">
          <legend className="vh">{t.moveTo}</legend>
          {found.slice(0, MOST_LISTED).map((e) => (
            <label key={e.experiment_id} className="mi"><input type="radio" name="move-target" checked={target === e.experiment_id} onChange={() => setTarget(e.experiment_id)} /><span className="ell grow">{e.name}</span><span className="muted num">{t.runs(e.runs)}</span></label>
          ))}
          {experiments.data && !found.length && <p className="muted none">{words.length ? t.noExperimentMatches : t.noOther}</p>}
        </fieldset>
        {problem && <p className="bad" role="alert">{problem}</p>}
        <div className="dialog-end">
          <Button look="ghost" onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" look="primary" disabled={busy || !chosen}>{t.moveRuns}</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Deleting for good asks for the number of runs, in digits. */
export function PurgeDialog({ ids, onDone, onClose }: BulkProps) {
  const [typed, setTyped] = useState("");
  const key = useMemo(() => ids.join(","), [ids]);
  const weight = useQuery({ queryKey: ["weight", key], queryFn: () => weighRuns(ids), staleTime: 0 });
  const send = async () => {
    const left = await purgeRuns(ids);
    onDone(true);
    if (left.length) complain(new Error(t.filesLeft(left.length)));
    else say(t.deletedForGood(ids.length));
  };
  const { problem, busy, submit } = useSending(send, onClose);
  return (
    <Dialog title={t.purgeTitle(ids.length)} onClose={onClose}>
      <form onSubmit={submit}>
        <p aria-live="polite">{weight.data ? t.purgeText(weight.data.files, formatBytes(weight.data.bytes, locale)) : weight.error ? weight.error.message : t.purgeWeighing}</p>
        <label className="field"><span>{t.purgeType(ids.length)}</span><input autoFocus value={typed} inputMode="numeric" autoComplete="off" onChange={(e) => setTyped(e.target.value)} /></label>
        {problem && <p className="bad" role="alert">{problem}</p>}
        <div className="dialog-end">
          <Button look="ghost" onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" look="danger" disabled={busy || typed.trim() !== String(ids.length)}>{t.deleteForGood}</Button>
        </div>
      </form>
    </Dialog>
  );
}
