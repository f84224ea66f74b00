import { createStore } from "../model/store";
import { printing } from "../ui/printing";

/** The tokens a canvas needs, read from the style sheet once per theme change. */
export interface Palette {
  runs: string[];
  /** The one-way ramp in equal steps, its best end first. */
  ramp: string[];
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

const STEPS = 16;

/** Colours that only a style sheet can mix, as plain ones: a saved picture has no style sheet. */
function plain(colours: string[]): string[] {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [colours.length, 1];
  const ctx = canvas.getContext("2d", { willReadFrequently: true })!;
  colours.forEach((colour, i) => {
    ctx.fillStyle = colour;
    ctx.fillRect(i, 0, 1, 1);
  });
  const { data } = ctx.getImageData(0, 0, colours.length, 1);
  return colours.map((_, i) => `#${[0, 1, 2].map((part) => data[4 * i + part]!.toString(16).padStart(2, "0")).join("")}`);
}

function read(): Palette {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const size = parseFloat(token("--fs-11")) - 0.5;
  return {
    runs: Array.from({ length: 10 }, (_, i) => token(`--c${i}`)),
    ramp: plain(Array.from({ length: STEPS + 1 }, (_, i) => `color-mix(in oklab, ${token("--c-ramp-0")} ${100 - (100 * i) / STEPS}%, ${token("--c-ramp-1")})`)),
    context: token("--context"), grid: token("--grid"), axis: token("--axis"), text2: token("--text-2"), text3: token("--text-3"),
    surface: token("--surface"), bad: token("--bad"), font: `${size}px ${token("--font-ui")}`,
    band: Number(token("--band-alpha")), ghost: Number(token("--ghost-alpha")), dim: Number(token("--dim-alpha")),
  };
}

/** The colour of a line: of its place on the ramp, else of its slot, else grey. */
export function lineColour({ slot, shade }: { slot: number | null; shade?: number | undefined }, { ramp, runs, context }: Palette): string {
  if (slot === null) return context;
  return shade === undefined ? runs[slot % runs.length]! : ramp[Math.round(shade * STEPS)]!;
}

let store: ReturnType<typeof createStore<Palette>> | null = null;

/** The palette as a store; charts redraw when the theme changes. */
export function palette() {
  if (store) return store;
  const made = createStore(read());
  new MutationObserver(() => made.set(read())).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  // Paper waits for no observer.
  printing.subscribe(() => made.set(read()));
  store = made;
  return made;
}
