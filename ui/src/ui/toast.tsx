import { useEffect, useState } from "react";
import { createStore } from "../model/store";
import { t } from "../i18n";
import { useStore } from "./hooks";

interface Notice {
  text: string;
  bad: boolean;
  action?: { label: string; run: () => void };
}
const notice = createStore<Notice | null>(null);

export const say = (text: string, action?: { label: string; run: () => void }) => notice.set({ text, bad: false, action });
export const complain = (error: unknown) => notice.set({ text: error instanceof Error ? error.message : t.failed, bad: true });

/** Copies and says so. */
export async function copyText(text: string, said: string = t.copied): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure context there is no clipboard; a hidden field still works.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  say(said);
}

/** One line at the foot of the page, read aloud politely, gone after four seconds. */
export function Toasts() {
  const now = useStore(notice);
  useEffect(() => {
    if (!now || now.action) return;
    const timer = setTimeout(() => notice.set(null), now.bad ? 8000 : 4000);
    return () => clearTimeout(timer);
  }, [now]);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {now && <div className={`toast${now.bad ? " bad" : ""}`}>{now.text}{now.action && <Act {...now.action} />}</div>}
    </div>
  );
}

/** What can be done about it. Whoever is about to press it, by pointer or keyboard, has the time that it takes. */
function Act({ label, run }: { label: string; run: () => void }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => notice.set(null), 8000);
    return () => clearTimeout(timer);
  }, [held, run]);
  const act = () => {
    notice.set(null);
    run();
  };
  return (
    <button type="button" className="toast-act" onClick={act} onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)} onFocus={() => setHeld(true)} onBlur={() => setHeld(false)}>
      {label}
    </button>
  );
}
