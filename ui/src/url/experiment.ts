import { DEFAULT_BOARD, parseBoard, readable, writeBoard, type BoardView } from "./board";
import { split } from "./lists";

export type Layout = "table" | "both" | "charts";
export interface SortKey {
  key: string;
  desc: boolean;
}

/** Everything the experiment page shows, as its URL holds it. `null` means "by default", which the page works out. */
export interface ExperimentView extends BoardView {
  q: string;
  sort: SortKey[];
  cols: string[] | null;
  /** Drawn runs by colour slot; "" is a free slot. */
  draw: string[] | null;
  base: string;
  diff: boolean;
  deleted: boolean;
  /** Columns that stay in view. */
  pin: string[];
  /** What the runs are grouped by, such as "params.lr". */
  group: string[];
  /** Open groups, by their values. */
  open: string[];
  /** Columns with a colour scale; null is the main metric's alone. */
  heat: string[] | null;
  /** Widths of columns in pixels, where somebody set them. */
  widths: Record<string, number>;
  /** Metrics whose direction is not what their name says. */
  up: string[];
  down: string[];
  /** A saved view that this began with; "none" is the page without its default view. */
  view: string;
  layout: Layout;
}

export const DEFAULT_VIEW: ExperimentView = {
  q: "", sort: [], cols: null, draw: null, base: "", diff: false, deleted: false, layout: "both",
  pin: [], group: [], open: [], heat: null, widths: {}, up: [], down: [], view: "",
  ...DEFAULT_BOARD,
};

function parseSort(text: string): SortKey[] {
  return split(text).map((part) => (part.startsWith("-") ? { key: part.slice(1), desc: true } : { key: part, desc: false }));
}

function oneOf<T extends string>(text: string | null, allowed: readonly T[], fallback: T): T {
  return allowed.find((a) => a === text) ?? fallback;
}

function parseWidths(text: string): Record<string, number> {
  return Object.fromEntries(split(text).flatMap((part) => {
    const at = part.lastIndexOf(":");
    const width = Number(part.slice(at + 1));
    return at > 0 && Number.isFinite(width) && width > 0 ? [[part.slice(0, at), Math.round(width)] as const] : [];
  }));
}

export function parseExperiment(search: string): ExperimentView {
  const params = new URLSearchParams(search);
  const draw = params.get("draw");
  const cols = params.get("cols");
  const heat = params.get("heat");
  const view = params.get("view") ?? "";
  return {
    q: params.get("q") ?? "",
    sort: parseSort(params.get("sort") ?? ""),
    cols: cols === null ? null : split(cols),
    draw: draw === null ? null : draw === "" ? [] : draw.split(","),
    base: params.get("base") ?? "",
    diff: params.get("diff") === "1",
    deleted: params.get("deleted") === "1" || view === "deleted",
    pin: split(params.get("pin") ?? ""),
    group: split(params.get("group") ?? ""),
    open: split(params.get("open") ?? ""),
    heat: heat === null ? null : split(heat),
    widths: parseWidths(params.get("w") ?? ""),
    up: split(params.get("up") ?? ""),
    down: split(params.get("down") ?? ""),
    view: view === "deleted" ? "" : view,
    layout: oneOf(params.get("layout"), ["table", "both", "charts"], "both"),
    ...parseBoard(params),
  };
}

/** The list a run is opened from, for the way to its neighbours. */
export const formatFrom = (list: Pick<ExperimentView, "q" | "sort" | "deleted">) => formatExperiment({ ...DEFAULT_VIEW, ...list });

/** The query string of a view, with what stands at its default left out. */
export function formatExperiment(view: ExperimentView): string {
  const params = new URLSearchParams();
  if (view.q) params.set("q", view.q);
  if (view.sort.length) params.set("sort", view.sort.map((s) => (s.desc ? "-" : "") + s.key).join("~"));
  if (view.cols) params.set("cols", view.cols.join("~"));
  if (view.draw) params.set("draw", view.draw.join(","));
  if (view.base) params.set("base", view.base);
  if (view.diff) params.set("diff", "1");
  if (view.deleted) params.set("deleted", "1");
  if (view.pin.length) params.set("pin", view.pin.join("~"));
  if (view.group.length) params.set("group", view.group.join("~"));
  if (view.open.length) params.set("open", view.open.join("~"));
  if (view.heat) params.set("heat", view.heat.join("~"));
  const widths = Object.entries(view.widths);
  if (widths.length) params.set("w", widths.map(([id, width]) => `${id}:${width}`).join("~"));
  if (view.up.length) params.set("up", view.up.join("~"));
  if (view.down.length) params.set("down", view.down.join("~"));
  if (view.view) params.set("view", view.view);
  if (view.layout !== "both") params.set("layout", view.layout);
  writeBoard(params, view);
  return readable(params);
}

/** What a saved view keeps of the page: everything but its own name, and what only the moment needs. */
export function stateOf(view: ExperimentView): string {
  return formatExperiment({ ...view, view: "", zoom: null, open: [], draw: null });
}

/** The page as a saved view shows it. */
export const applyState = (state: string, id: string): ExperimentView => ({ ...parseExperiment(state), view: id });

/** True for an address that says nothing of the page but, at most, which saved view it is. */
export const isBare = (view: ExperimentView): boolean => formatExperiment({ ...view, view: "" }) === "";
