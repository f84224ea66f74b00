import { flushSync } from "react-dom";
import { createStore } from "../model/store";

/** True while the page is on its way to paper: everything is mounted, charts are drawn as vectors. */
export const printing = createStore(false);

const PATIENCE_MS = 10_000;
const LOOK_MS = 100;

let theme: string | undefined;

/** Paper is light, whatever the theme. */
function begin(): void {
  const root = document.documentElement;
  if (root.dataset["theme"] !== "light") {
    theme = root.dataset["theme"];
    root.dataset["theme"] = "light";
  }
  flushSync(() => printing.set(true));
}

function end(): void {
  if (theme !== undefined) document.documentElement.dataset["theme"] = theme;
  theme = undefined;
  delete document.documentElement.dataset["paper"];
  printing.set(false);
}

/** The browser's own command prints what is loaded. */
export function startPrinting(): void {
  addEventListener("beforeprint", begin);
  addEventListener("afterprint", end);
}

/** Prints the page whole: waits until what was out of view is there too. */
export async function printPage(): Promise<void> {
  document.documentElement.dataset["paper"] = "";
  begin();
  const until = performance.now() + PATIENCE_MS;
  do await new Promise((done) => setTimeout(done, LOOK_MS));
  while (performance.now() < until && document.querySelector("[aria-busy=true], .sk"));
  await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
  window.print();
  end();
}
