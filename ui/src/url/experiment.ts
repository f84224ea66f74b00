export type XAxis = "step" | "time" | "relative";
export type Layout = "table" | "both" | "charts";
export interface SortKey {
  key: string;
  desc: boolean;
}

/** Everything the experiment page shows, as its URL holds it. `null` means "by default", which the page works out. */
export interface ExperimentView {
  q: string;
  sort: SortKey[];
  cols: string[] | null;
  /** Drawn runs by colour slot; "" is a free slot. */
  draw: string[] | null;
  base: string;
  diff: boolean;
  deleted: boolean;
  layout: Layout;
  x: XAxis;
  smooth: number;
  ylog: string[];
  zoom: [number, number] | null;
  charts: string;
}

export const DEFAULT_VIEW: ExperimentView = {
  q: "", sort: [], cols: null, draw: null, base: "", diff: false, deleted: false, layout: "both",
  x: "step", smooth: 0.8, ylog: [], zoom: null, charts: "",
};

// Keys may hold commas; "~" stands between them in an address.
const split = (text: string) => text.split("~").filter(Boolean);

function parseSort(text: string): SortKey[] {
  return split(text).map((part) => (part.startsWith("-") ? { key: part.slice(1), desc: true } : { key: part, desc: false }));
}

function parseZoom(text: string | null): [number, number] | null {
  const ends = (text ?? "").split("~").map(Number);
  const [from, to] = ends;
  if (ends.length !== 2 || from === undefined || to === undefined) return null;
  return Number.isFinite(from) && Number.isFinite(to) && from < to ? [from, to] : null;
}

function oneOf<T extends string>(text: string | null, allowed: readonly T[], fallback: T): T {
  return allowed.find((a) => a === text) ?? fallback;
}

export function parseExperiment(search: string): ExperimentView {
  const params = new URLSearchParams(search);
  const smooth = Number(params.get("smooth") ?? DEFAULT_VIEW.smooth);
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
    x: oneOf(params.get("x"), ["step", "time", "relative"], "step"),
    smooth: Number.isFinite(smooth) ? Math.min(0.99, Math.max(0, smooth)) : DEFAULT_VIEW.smooth,
    ylog: split(params.get("ylog") ?? ""),
    zoom: parseZoom(params.get("zoom")),
    charts: params.get("charts") ?? "",
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
  if (view.x !== "step") params.set("x", view.x);
  if (view.smooth !== DEFAULT_VIEW.smooth) params.set("smooth", String(view.smooth));
  if (view.ylog.length) params.set("ylog", view.ylog.join("~"));
  if (view.zoom) params.set("zoom", view.zoom.join("~"));
  if (view.charts) params.set("charts", view.charts);
  // Slashes, commas and tildes are legal in a query; leaving them makes the address readable.
  const text = params.toString().replaceAll("%2F", "/").replaceAll("%2C", ",").replaceAll("%7E", "~").replaceAll("%60", "`");
  return text ? `?${text}` : "";
}
