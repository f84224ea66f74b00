import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { setRunTag, type RunDetail } from "../../api/runs";
import { t } from "../../i18n";
import { Button } from "../../ui/Button";
import { complain } from "../../ui/toast";
import Markdown from "./Markdown";

const NOTE = "mlflow.note.content";

/** The run's note, shown as Markdown and edited in place. */
export default function Notes({ run }: { run: RunDetail }) {
  const text = run.tags[NOTE] ?? "";
  const [draft, setDraft] = useState<string | null>(null);
  const client = useQueryClient();
  const save = async () => {
    try {
      await setRunTag(run.info.run_id, NOTE, draft ?? "");
      await client.invalidateQueries({ queryKey: ["run", run.info.run_id] });
      setDraft(null);
    } catch (error) {
      complain(error);
    }
  };
  return (
    <section className="card notes">
      <header><h2>{t.notes}</h2>{draft === null && <span className="right"><Button look="ghost" className="tiny" onClick={() => setDraft(text)}>{t.edit}</Button></span>}</header>
      {draft !== null && (
        <div className="padded">
          <textarea className="input" rows={6} value={draft} autoFocus aria-label={t.noteField} onChange={(e) => setDraft(e.target.value)}
            onKeyDown={(e) => { if (e.key === "Escape") setDraft(null); if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) void save(); }} />
          <div className="dialog-end"><Button look="ghost" onClick={() => setDraft(null)}>{t.cancel}</Button><Button look="primary" onClick={() => void save()}>{t.save}</Button></div>
        </div>
      )}
      {draft === null && (text ? <Markdown text={text} /> : <p className="note">{t.noNotes}</p>)}
    </section>
  );
}
