import { useEffect } from "react";
import { t } from "../i18n";
import { complain, say } from "../ui/toast";

let last: (() => Promise<unknown>) | null = null;

/** Says what was done and offers to take it back, in the message and by Ctrl Z. */
export function offerUndo(text: string, undo: () => Promise<unknown>): void {
  last = undo;
  say(text, { label: t.undo, run: () => void takeBack() });
}

/** Tells of a change of many runs: what was done, with the way back, and what stopped it. Nothing done is an error of its own. */
export function told(done: number, text: string, problem: Error | null, undo: () => Promise<unknown>): void {
  if (problem && !done) throw problem;
  if (!done) return say(t.nothingChanged);
  offerUndo(problem ? t.stoppedAfter(text, problem.message) : text, undo);
}

async function takeBack(): Promise<void> {
  const undo = last;
  last = null;
  if (!undo) return;
  try {
    await undo();
    say(t.undone);
  } catch (error) {
    complain(error);
  }
}

/** Ctrl Z takes back the last thing done on this page, outside fields. */
export function useUndoKey(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const field = (event.target as HTMLElement | null)?.closest?.("input:not([type=checkbox]), textarea, [contenteditable]");
      if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || field || !last) return;
      event.preventDefault();
      void takeBack();
    };
    addEventListener("keydown", listen);
    return () => {
      removeEventListener("keydown", listen);
      last = null;
    };
  }, []);
}
