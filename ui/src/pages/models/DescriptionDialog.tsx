import { useState, type FormEvent } from "react";
import { t } from "../../i18n";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { complain } from "../../ui/toast";

/** Asks for a description, which may be empty. */
export function DescriptionDialog({ value, onSave, onClose }: { value: string; onSave: (text: string) => Promise<unknown>; onClose: () => void }) {
  const [text, setText] = useState(value);
  const save = (event: FormEvent) => {
    event.preventDefault();
    onSave(text.trim()).then(onClose, complain);
  };
  return (
    <Dialog title={t.editDescription} onClose={onClose}>
      <form onSubmit={save}>
        <label className="field"><span>{t.description}</span><textarea rows={4} value={text} autoFocus onChange={(e) => setText(e.target.value)} /></label>
        <div className="dialog-end">
          <Button look="ghost" onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" look="primary">{t.save}</Button>
        </div>
      </form>
    </Dialog>
  );
}
