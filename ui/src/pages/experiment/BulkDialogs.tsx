import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type FormEvent, type ReactNode } from "react";
import { BULK_RUNS, changeTags, moveRuns, purgeRuns, weighRuns, whole, type Progress } from "../../api/bulk";
import { formatBytes, formatCount } from "../../model/format";
import { locale, t } from "../../i18n";
import { useColumns, useExperiments } from "../../parts/queries";
import { told } from "../../parts/undo";
import { Button, type ButtonProps } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Icon } from "../../ui/Icon";
import { complain, say } from "../../ui/toast";

export interface BulkProps {
  experimentId: string;
  ids: string[];
  /** The runs have changed; with `gone` they are no longer in the list. A problem says that not all of them have. */
  onDone: (gone: boolean, problem?: Error | null) => void;
  onClose: () => void;
}

/** A question whose answer is sent. A refusal is shown inside, and the dialog stays; of one that was closed meanwhile the page tells. */
function useSending(send: (progress: Progress) => Promise<void>, onClose: () => void) {
  const [problem, setProblem] = useState("");
  const [done, setDone] = useState<number | null>(null);
  const open = useRef(true);
  useEffect(() => {
    open.current = true;
    return () => void (open.current = false);
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setDone(0);
    setProblem("");
    send(setDone).then(onClose, (error: unknown) => {
      if (!open.current) return complain(error);
      setProblem(error instanceof Error ? error.message : t.failed);
      setDone(null);
    });
  };
  return { problem, done, submit };
}

interface EndProps {
  sending: ReturnType<typeof useSending>;
  total: number;
  onClose: () => void;
  look: ButtonProps["look"];
  disabled: boolean;
  children: ReactNode;
}

/** What went wrong, how far it is, and the buttons. */
function DialogEnd({ sending: { problem, done }, total, onClose, look, disabled, children }: EndProps) {
  return (
    <>
      {problem && <p className="bad" role="alert">{problem}</p>}
      <div className="dialog-end">
        {done !== null && total > BULK_RUNS && <span className="muted num doing" role="status">{t.nOfMany(formatCount(done, locale), formatCount(total, locale))}</span>}
        <Button look="ghost" onClick={onClose}>{done === null ? t.cancel : t.close}</Button>
        <Button type="submit" look={look} disabled={done !== null || disabled}>{children}</Button>
      </div>
    </>
  );
}

export function TagDialog({ experimentId, ids, onDone, onClose }: BulkProps) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const columns = useColumns([experimentId]);
  const known = columns.data?.tags.find((tag) => tag.key === key.trim());
  const send = async (progress: Progress) => {
    const wanted = value === "" ? null : value;
    const { done, problem } = await changeTags(ids.map((run_id) => ({ run_id, key: key.trim(), value: wanted })), progress);
    const changed = done.filter((old) => old.value !== wanted);
    onDone(false, problem);
    told(changed.length, t.tagged(changed.length), problem, () => whole(changeTags(changed)).finally(() => onDone(false)));
  };
  const sending = useSending(send, onClose);
  return (
    <Dialog title={t.tagTitle(ids.length)} onClose={onClose}>
      <form onSubmit={sending.submit}>
        <div className="pair">
          <label className="field"><span>{t.tagKey}</span><input autoFocus value={key} list="bulk-tag-keys" autoComplete="off" spellCheck={false} onChange={(e) => setKey(e.target.value)} /></label>
          <label className="field"><span>{t.tagValue}</span><input value={value} list="bulk-tag-values" autoComplete="off" spellCheck={false} onChange={(e) => setValue(e.target.value)} /></label>
        </div>
        <datalist id="bulk-tag-keys">{columns.data?.tags.filter((tag) => !tag.key.startsWith("mlflow.")).slice(0, 100).map((tag) => <option key={tag.key} value={tag.key} />)}</datalist>
        <datalist id="bulk-tag-values">{known?.values.map((one) => <option key={one} value={one} />)}</datalist>
        <p className="after">{t.tagText}</p>
        <DialogEnd sending={sending} total={ids.length} onClose={onClose} look="primary" disabled={!key.trim()}>{value === "" ? t.removeIt : t.setTag}</DialogEnd>
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
  const send = async (progress: Progress) => {
    if (!chosen) return;
    const { done, problem } = await moveRuns(ids, chosen.experiment_id, progress);
    const count = Object.values(done).reduce((sum, list) => sum + list.length, 0);
    onDone(true, problem);
    const back = async () => {
      for (const [from, list] of Object.entries(done)) await whole(moveRuns(list, from));
    };
    told(count, t.moved(count, chosen.name), problem, () => back().finally(() => onDone(false)));
  };
  const sending = useSending(send, onClose);
  return (
    <Dialog title={t.moveTitle(ids.length)} onClose={onClose}>
      <form onSubmit={sending.submit}>
        <p>{t.moveText}</p>
        <label className="search wide"><Icon name="search" small /><input autoFocus value={search} placeholder={t.searchExperiments} aria-label={t.searchExperiments} onChange={(e) => setSearch(e.target.value)} /></label>
        <fieldset className="picklist">
          <legend className="vh">{t.moveTo}</legend>
          {found.slice(0, MOST_LISTED).map((e) => (
            <label key={e.experiment_id} className="mi"><input type="radio" name="move-target" checked={target === e.experiment_id} onChange={() => setTarget(e.experiment_id)} /><span className="ell grow">{e.name}</span><span className="muted num">{t.runs(e.runs)}</span></label>
          ))}
          {experiments.data && !found.length && <p className="muted none">{words.length ? t.noExperimentMatches : t.noOther}</p>}
        </fieldset>
        <DialogEnd sending={sending} total={ids.length} onClose={onClose} look="primary" disabled={!chosen}>{t.moveRuns}</DialogEnd>
      </form>
    </Dialog>
  );
}

/** Deleting for good asks for the number of runs, in digits. */
export function PurgeDialog({ ids, onDone, onClose }: BulkProps) {
  const [typed, setTyped] = useState("");
  const key = useMemo(() => ids.join(","), [ids]);
  const weight = useQuery({ queryKey: ["weight", key], queryFn: () => weighRuns(ids), staleTime: 0 });
  const send = async (progress: Progress) => {
    const { done, problem } = await purgeRuns(ids, progress);
    onDone(true, problem);
    const text = t.deletedForGood(done.run_ids.length);
    if (problem) throw done.run_ids.length ? new Error(t.stoppedAfter(text, problem.message)) : problem;
    if (done.files_left.length) complain(new Error(t.filesLeft(done.files_left.length)));
    else say(text);
  };
  const sending = useSending(send, onClose);
  return (
    <Dialog title={t.purgeTitle(ids.length)} onClose={onClose}>
      <form onSubmit={sending.submit}>
        <p aria-live="polite">{weight.data ? t.purgeText(weight.data.files, formatBytes(weight.data.bytes, locale)) : weight.error ? weight.error.message : t.purgeWeighing}</p>
        <label className="field"><span>{t.purgeType(ids.length)}</span><input autoFocus value={typed} inputMode="numeric" autoComplete="off" onChange={(e) => setTyped(e.target.value)} /></label>
        <DialogEnd sending={sending} total={ids.length} onClose={onClose} look="danger" disabled={typed.trim() !== String(ids.length)}>{t.deleteForGood}</DialogEnd>
      </form>
    </Dialog>
  );
}
