import { DEFAULT_BOARD, parseBoard, readable, writeBoard, type BoardView } from "./board";

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
  layout: Layout;
}

export const DEFAULT_VIEW: ExperimentView = {
  q: "", sort: [], cols: null, draw: null, base: "", diff: false, deleted: false, layout: "both",
  ...DEFAULT_BOARD,
};

// Keys may hold commas; "~" stands between them in an address.
const split = (text: string) => text.split("~").filter(Boolean);

function parseSort(text: string): SortKey[] {
  return split(text).map((part) => (part.startsWith("-") ? { key: part.slice(1), desc: true } : { key: part, desc: false }));
}

function oneOf<T extends string>(text: string | null, allowed: readonly T[], fallback: T): T {
  return allowed.find((a) => a === text) ?? fallback;
}

export function parseExperiment(search: string): ExperimentView {
  const params = new URLSearchParams(search);
  const draw = params.get("draw");
  const cols = params.get("cols");
  return {
    q: params.get("q") ?? "",
    sort: parseSort(params.get("sort") ?? ""),
    cols: cols === null ? null : split(cols),
    draw: draw === null ? null : draw === "" ? [] : draw.split(","),
    base: params.get("base") ?? "",
    diff: params.get("diff") === "1",
    deleted: params.get("view") === "deleted",
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
  if (view.deleted) params.set("view", "deleted");
  if (view.layout !== "both") params.set("layout", view.layout);
  writeBoard(params, view);
  return readable(params);
}
