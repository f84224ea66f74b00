import { createStore } from "../model/store";

/** The run under the pointer or the focus, wherever on the page that is; null when none. */
export const hotRun = createStore<string | null>(null);

/** Ends the emphasis of a run whose row or line goes away under the pointer: nothing else would. */
export function letGo(id: string): void {
  if (hotRun.get() === id) hotRun.set(null);
}
