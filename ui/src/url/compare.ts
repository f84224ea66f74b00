import { DEFAULT_BOARD, parseBoard, writeBoard, type BoardView } from "./board";
import { readPart, writePart, type Part } from "./idset";
import { split } from "./lists";

export const COMPARE_PARTS = ["all", "table", "curves", "parallel", "scatter", "box", "bar", "importance", "diff"] as const;
export type ComparePart = (typeof COMPARE_PARTS)[number];

/** A part of an axis that is brushed: [from, to] in the axis' own numbers, or the chosen words. */
export type Brush = { key: string; from: number; to: number } | { key: string; words: string[] };

/** What the compare page shows. Up to some runs are named; of more the query itself is the set. */
export interface CompareView {
  runs: string[];
  /** With no runs: the experiments whose runs are compared, and which of them. */
  experiments: string[];
  q: string;
  deleted: boolean;
  /** Some runs of the search, where not all of them are compared. */
  some: Part | null;
  /** The run that the others are measured against; "" is the first. */
  base: string;
  part: ComparePart;
  /** The metric that decides; "" is the page's choice. */
  target: string;
  /** What the lines are coloured by: "" by run, else a column. */
  colour: string;
  /** Axes of the parallel coordinates; null is the page's choice. */
  axes: string[] | null;
  brush: Brush[];
  x: string;
  y: string;
  /** The settings of the curves. */
  board: BoardView;
}

export const DEFAULT_COMPARE: CompareView = { runs: [], experiments: [], q: "", deleted: false, some: null, base: "", part: "all", target: "", colour: "", axes: null, brush: [], x: "", y: "", board: DEFAULT_BOARD };

function parseBrush(text: string): Brush[] {
  return split(text).flatMap((one): Brush[] => {
    const [key = "", kind = "", ...rest] = one.split("::");
    if (!key) return [];
    if (kind === "in") return [{ key, words: rest.map(decodeURIComponent) }];
    const [from, to] = [Number(kind), Number(rest[0])];
    return Number.isFinite(from) && Number.isFinite(to) ? [{ key, from, to }] : [];
  });
}

const formatBrush = (brush: Brush) => ("words" in brush ? [brush.key, "in", ...brush.words.map((w) => encodeURIComponent(w).replaceAll("~", "%7E"))] : [brush.key, brush.from, brush.to]).join("::");

/** The curves have parameters of their own: x and y stand for the scatter. */
const CURVES = "curves.";

const curvesOf = (params: URLSearchParams) => new URLSearchParams([...params].filter(([name]) => name.startsWith(CURVES)).map(([name, value]) => [name.slice(CURVES.length), value]));

export function parseCompare(search: string): CompareView {
  const fragment = search.indexOf("#");
  const params = new URLSearchParams(fragment < 0 ? search : search.slice(0, fragment));
  const list = (name: string) => [...new Set((params.get(name) ?? "").split(",").filter(Boolean))];
  const axes = params.get("axes");
  return {
    runs: list("runs"), experiments: list("e"), q: params.get("q") ?? "", deleted: params.get("deleted") === "1", some: fragment < 0 ? null : readPart(search.slice(fragment)), base: params.get("base") ?? "",
    part: COMPARE_PARTS.find((part) => part === params.get("part")) ?? "all", target: params.get("target") ?? "", colour: params.get("colour") ?? "",
    axes: axes === null ? null : split(axes), brush: parseBrush(params.get("brush") ?? ""), x: params.get("x") ?? "", y: params.get("y") ?? "",
    board: parseBoard(curvesOf(params)),
  };
}

export function formatCompare(view: CompareView): string {
  const params = new URLSearchParams();
  const set = (name: string, value: string) => value && params.set(name, value);
  set("runs", view.runs.join(","));
  set("e", view.experiments.join(","));
  for (const name of ["q", "base", "target", "colour", "x", "y"] as const) set(name, view[name]);
  if (view.deleted) params.set("deleted", "1");
  if (view.part !== "all") params.set("part", view.part);
  if (view.axes) params.set("axes", view.axes.join("~"));
  const curves = new URLSearchParams();
  writeBoard(curves, view.board);
  for (const [name, value] of curves) params.set(CURVES + name, value);
  set("brush", view.brush.map(formatBrush).join("~"));
  const text = params.toString().replaceAll("%2F", "/").replaceAll("%2C", ",").replaceAll("%7E", "~").replaceAll("%3A", ":");
  return (text ? `?${text}` : "") + writePart(view.some);
}

export const comparePath = (view: Partial<CompareView>) => `/compare${formatCompare({ ...DEFAULT_COMPARE, ...view })}`;
