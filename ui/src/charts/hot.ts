import { createStore } from "../model/store";

/** The run under the pointer or the focus, wherever on the page that is; null when none. */
export const hotRun = createStore<string | null>(null);
