import { createStore } from "../model/store";

/** The tokens a canvas needs, read from the style sheet once per theme change. */
export interface Palette {
  runs: string[];
  context: string;
  grid: string;
  axis: string;
  text2: string;
  text3: string;
  surface: string;
  bad: string;
  font: string;
  band: number;
  ghost: number;
  dim: number;
}

function read(): Palette {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const size = parseFloat(token("--fs-11")) - 0.5;
  return {
    runs: Array.from({ length: 10 }, (_, i) => token(`--c${i}`)),
    context: token("--context"), grid: token("--grid"), axis: token("--axis"), text2: token("--text-2"), text3: token("--text-3"),
    surface: token("--surface"), bad: token("--bad"), font: `${size}px ${token("--font-ui")}`,
    band: Number(token("--band-alpha")), ghost: Number(token("--ghost-alpha")), dim: Number(token("--dim-alpha")),
  };
}

let store: ReturnType<typeof createStore<Palette>> | null = null;

/** The palette as a store; charts redraw when the theme changes. */
export function palette() {
  if (store) return store;
  const made = createStore(read());
  new MutationObserver(() => made.set(read())).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  store = made;
  return made;
}
