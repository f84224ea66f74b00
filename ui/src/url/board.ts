/** The state of a page's charts as its address holds it: plain values, so that a saved view can keep them too. */

/** An axis that the server knows, or another metric of the same run. */
export type BaseAxis = "step" | "time" | "relative";
export type XAxis = BaseAxis | `metrics.${string}`;
/** What the band around a group's mean shows: standard deviation, standard error or 95 % confidence interval. */
export type Band = "std" | "stderr" | "ci";

/** What one chart does differently from the others of its board. */
export interface ChartOptions {
  logY?: boolean;
  logX?: boolean;
  /** The whole range instead of the robust one. */
  full?: boolean;
  /** A y-range set by hand; wins over `full`. */
  range?: [low: number, high: number];
  smooth?: number;
}

/** A chart made by the user: several metrics in one picture. */
export interface OwnChart {
  title: string;
  keys: string[];
}

export interface BoardView {
  x: XAxis;
  smooth: number;
  zoom: [number, number] | null;
  /** The search for charts. */
  charts: string;
  band: Band;
  /** By metric, or by `ownKey` of a chart made by the user. */
  options: Record<string, ChartOptions>;
  own: OwnChart[];
  /** Namespaces that are folded up. */
  fold: string[];
}

export const DEFAULT_BOARD: BoardView = { x: "step", smooth: 0.8, zoom: null, charts: "", band: "std", options: {}, own: [], fold: [] };

/** The name under which the settings of a user's chart are kept. */
export const ownKey = (chart: OwnChart) => `own:${chart.title}`;
export const MOST_OWN_KEYS = 12;

// Keys may hold any character; "~" stands between the parts of a list and "|" between those of a part.
const shield = (text: string) => text.replace(/[%~|]/g, encodeURIComponent).replaceAll("~", "%7E");
const unshield = (text: string) => {
  try {
    return decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, "%25"));
  } catch {
    return text;
  }
};
const split = (text: string | null) => (text ?? "").split("~").filter(Boolean);
const fields = (text: string) => text.split("|").map(unshield);

function numbers(text: string | null, separator: string): [number, number] | null {
  const ends = (text ?? "").split(separator).map((part) => (part === "" ? NaN : Number(part)));
  const [low, high] = ends;
  if (ends.length !== 2 || low === undefined || high === undefined) return null;
  return Number.isFinite(low) && Number.isFinite(high) && low < high ? [low, high] : null;
}

export function clampSmooth(value: number, fallback: number): number {
  return Number.isFinite(value) ? Math.min(0.99, Math.max(0, value)) : fallback;
}

function axisOf(text: string | null): XAxis {
  if (text === "time" || text === "relative") return text;
  return text?.startsWith("metrics.") && text.length > 8 ? (text as XAxis) : "step";
}

function parseOptions(params: URLSearchParams): Record<string, ChartOptions> {
  const found: Record<string, ChartOptions> = {};
  const add = (key: string, option: ChartOptions) => (found[key] = { ...found[key], ...option });
  for (const key of split(params.get("ylog"))) add(unshield(key), { logY: true });
  for (const key of split(params.get("xlog"))) add(unshield(key), { logX: true });
  for (const key of split(params.get("all"))) add(unshield(key), { full: true });
  for (const part of split(params.get("ysmooth"))) {
    const [key = "", value = ""] = fields(part);
    if (key && value && Number.isFinite(Number(value))) add(key, { smooth: clampSmooth(Number(value), 0) });
  }
  for (const part of split(params.get("yrange"))) {
    const [key = "", low = "", high = ""] = fields(part);
    const range = numbers(`${low}|${high}`, "|");
    if (key && range) add(key, { range });
  }
  return found;
}

function parseOwn(text: string | null): OwnChart[] {
  const found = new Map<string, OwnChart>();
  for (const part of split(text)) {
    const [title = "", ...keys] = fields(part);
    if (title && keys.length) found.set(title, { title, keys: [...new Set(keys.filter(Boolean))].slice(0, MOST_OWN_KEYS) });
  }
  return [...found.values()];
}

export function parseBoard(params: URLSearchParams): BoardView {
  const band = params.get("band");
  return {
    x: axisOf(params.get("x")),
    smooth: clampSmooth(Number(params.get("smooth") ?? DEFAULT_BOARD.smooth), DEFAULT_BOARD.smooth),
    zoom: numbers(params.get("zoom"), "~"),
    charts: params.get("charts") ?? "",
    band: band === "stderr" || band === "ci" ? band : "std",
    options: parseOptions(params),
    own: parseOwn(params.get("own")),
    fold: split(params.get("fold")).map(unshield),
  };
}

/** Writes what differs from the defaults into the parameters of an address. */
export function writeBoard(params: URLSearchParams, view: BoardView): void {
  const set = (name: string, parts: string[]) => parts.length > 0 && params.set(name, parts.join("~"));
  const options = Object.entries(view.options);
  const where = (test: (o: ChartOptions) => unknown) => options.filter(([, o]) => test(o)).map(([key]) => shield(key));
  if (view.x !== "step") params.set("x", view.x);
  if (view.smooth !== DEFAULT_BOARD.smooth) params.set("smooth", String(view.smooth));
  if (view.zoom) params.set("zoom", view.zoom.join("~"));
  if (view.charts) params.set("charts", view.charts);
  if (view.band !== "std") params.set("band", view.band);
  set("ylog", where((o) => o.logY));
  set("xlog", where((o) => o.logX));
  set("all", where((o) => o.full));
  set("ysmooth", options.filter(([, o]) => o.smooth !== undefined).map(([key, o]) => `${shield(key)}|${o.smooth}`));
  set("yrange", options.filter(([, o]) => o.range).map(([key, o]) => `${shield(key)}|${o.range!.join("|")}`));
  set("own", view.own.map((chart) => [chart.title, ...chart.keys].map(shield).join("|")));
  set("fold", view.fold.map(shield));
}

/** An address's query with the signs left readable that are legal there. */
export function readable(params: URLSearchParams): string {
  const text = params.toString().replaceAll("%2F", "/").replaceAll("%2C", ",").replaceAll("%7E", "~").replaceAll("%60", "`").replaceAll("%7C", "|");
  return text ? `?${text}` : "";
}

/** A page's query that holds a board and nothing else. */
export const parseBoardSearch = (search: string) => parseBoard(new URLSearchParams(search));
export function formatBoardSearch(view: BoardView): string {
  const params = new URLSearchParams();
  writeBoard(params, view);
  return readable(params);
}

/** A chart's settings changed in part; what stands at its default is dropped. */
export function withOption(view: BoardView, key: string, change: ChartOptions): Pick<BoardView, "options"> {
  const next = Object.fromEntries(Object.entries({ ...view.options[key], ...change }).filter(([, v]) => v !== undefined && v !== false)) as ChartOptions;
  const rest = Object.fromEntries(Object.entries(view.options).filter(([name]) => name !== key));
  return { options: Object.keys(next).length ? { ...rest, [key]: next } : rest };
}
