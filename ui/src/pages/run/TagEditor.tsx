import { useState, type FormEvent } from "react";
import { deleteRunTag, setRunTag } from "../../api/runs";
import { t } from "../../i18n";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";

interface Props {
  runId: string;
  tags: [string, string][];
  onChanged: () => void;
  onClose: () => void;
}

/** The run's own tags, each saved when its field is left. */
export function TagEditor({ runId, tags, onChanged, onClose }: Props) {
  const [problem, setProblem] = useState("");
  const [fresh, setFresh] = useState({ key: "", value: "" });
  const attempt = async (change: Promise<unknown>) => {
    try {
      await change;
      setProblem("");
      onChanged();
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const add = async (event: FormEvent) => {
    event.preventDefault();
    if (!fresh.key.trim()) return;
    await attempt(setRunTag(runId, fresh.key.trim(), fresh.value));
    setFresh({ key: "", value: "" });
  };
  return (
    <Dialog title={t.editTags} onClose={onClose} wide>
      {tags.length === 0 && <p>{t.noTags}</p>}
      <div className="tagedit">
        {tags.map(([key, value]) => (
          <div key={key} className="row">
            <span className="ell tagkey" title={key}>{key}</span>
            <input className="input" defaultValue={value} aria-label={key} onBlur={(e) => e.target.value !== value && void attempt(setRunTag(runId, key, e.target.value))} />
            <Button look="ghost" icon="trash" aria-label={t.removeTag(key)} onClick={() => void attempt(deleteRunTag(runId, key))} />
          </div>
        ))}
        <form className="row" onSubmit={(event) => void add(event)}>
          <input className="input tagkey" placeholder={t.tagKey} aria-label={t.tagKey} value={fresh.key} onChange={(e) => setFresh({ ...fresh, key: e.target.value })} />
          <input className="input" placeholder={t.tagValue} aria-label={t.tagValue} value={fresh.value} onChange={(e) => setFresh({ ...fresh, value: e.target.value })} />
          <Button type="submit" icon="plus" aria-label={t.addTag} />
        </form>
      </div>
      {problem && <p className="bad" role="alert">{problem}</p>}
      <div className="dialog-end"><Button onClick={onClose}>{t.close}</Button></div>
    </Dialog>
  );
}
