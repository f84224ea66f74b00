import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from "react";
import { t } from "../i18n";
import { Button } from "./Button";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
}

/** A modal question. The browser keeps the focus inside and gives it back. */
export function Dialog({ title, onClose, children, wide = false }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} className={`dialog${wide ? " wide" : ""}`} aria-labelledby={id} onCancel={(e) => { e.preventDefault(); onClose(); }}
      onPointerDown={(e) => e.target === ref.current && onClose()}>
      <div className="dialog-in">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface AskProps {
  title: string;
  text?: string;
  action: string;
  danger?: boolean;
  /** With a field the answer is its text; it may not be empty. */
  field?: { label: string; value: string };
  onAnswer: (value: string) => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something happens; a refusal of the server is shown inside and the dialog stays. */
export function Ask({ title, text, action, danger, field, onAnswer, onClose }: AskProps) {
  const [value, setValue] = useState(field?.value ?? "");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await onAnswer(value.trim());
      onClose();
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        {text && <p>{text}</p>}
        {field && (
          <label className="field">
            <span>{field.label}</span>
            <input value={value} autoFocus autoComplete="off" spellCheck={false} onChange={(e) => setValue(e.target.value)} onFocus={(e) => e.target.select()} />
          </label>
        )}
        {problem && <p className="bad" role="alert">{problem}</p>}
        <div className="dialog-end">
          <Button look="ghost" onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" look={danger ? "danger" : "primary"} disabled={busy || (field !== undefined && !value.trim())}>{action}</Button>
        </div>
      </form>
    </Dialog>
  );
}
