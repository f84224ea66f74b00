import { DEFAULT_BOARD } from "./board";
import { describe, expect, it } from "vitest";
import { below } from "./base";
import { comparePath, DEFAULT_COMPARE, formatCompare, parseCompare, type CompareView } from "./compare";
import { applyState, DEFAULT_VIEW, formatExperiment, formatFrom, isBare, parseExperiment, stateOf, type ExperimentView } from "./experiment";
import { packIds, unpackIds } from "./idset";
import { fromMlflowHash } from "./hash";
import { formatRoute, parseRoute, type Route } from "./routes";

describe("routes", () => {
  const routes: Route[] = [
    { page: "home" }, { page: "experiments" }, { page: "compare" }, { page: "settings" },
    { page: "experiment", experimentId: "12" },
    { page: "run", experimentId: "1", runId: "a-b", tab: "overview" },
    { page: "run", experimentId: "a b/c", runId: "x", tab: "artifacts" },
    { page: "models" }, { page: "model", name: "story teller.ä" },
  ];
  it.each(routes)("round-trips %o", (route) => expect(parseRoute(formatRoute(route))).toEqual(route));
  it("knows what it does not know", () => {
    expect(parseRoute("/e/1/runs/x/nonsense").page).toBe("missing");
    expect(parseRoute("/models/a/b").page).toBe("missing");
    expect(parseRoute("/e/%E0%A4%A/").page).toBe("experiment");
  });
  it("cuts the prefix", () => {
    expect(below("/logbuch/e/1", "/logbuch/")).toBe("/e/1");
    expect(below("/", "/")).toBe("/");
  });
});

describe("experiment view", () => {
  const full: ExperimentView = {
    q: "metrics.`eval/loss` < 0.4 AND tags.a = 'x&y=ü'", sort: [{ key: "metrics.eval/loss", desc: false }, { key: "params.a,b", desc: true }],
    cols: ["metrics.a b", "params.lr"], draw: ["r1", "", "r2"], base: "r1", diff: true, deleted: true, layout: "charts",
    pin: ["params.lr"], group: ["params.a,b"], open: ["params.lr=0.1|2"], heat: [], widths: { "metrics.a:b": 120 }, up: ["m"], down: ["n"], view: "abc",
    x: "metrics.tokens~|%seen", smooth: 0, zoom: [10, 20.5], charts: "train/*", band: "ci", fold: ["system/"],
    options: { "train/loss": { logY: true, logX: true, smooth: 0.5 }, "a~b|c%41": { full: true }, "own:Losses": { range: [-1, 2.5] } },
    own: [{ title: "Losses", keys: ["train/loss", "eval|~%7Closs"] }, { title: "100 %", keys: ["a"] }],
  };
  it("round-trips everything", () => expect(parseExperiment(formatExperiment(full))).toEqual(full));
  it("leaves defaults out", () => expect(formatExperiment(DEFAULT_VIEW)).toBe(""));
  it("keeps an emptied drawing apart from the default", () => {
    expect(parseExperiment(formatExperiment({ ...DEFAULT_VIEW, draw: [] })).draw).toEqual([]);
    expect(parseExperiment("").draw).toBeNull();
  });
  it("says which list a run was opened from", () => {
    const list = { q: "params.a = '1'", sort: [{ key: "metrics.eval/loss", desc: false }], deleted: false };
    expect(parseExperiment(formatFrom(list))).toEqual({ ...DEFAULT_VIEW, ...list });
  });
  it("knows the address of deleted runs that was given out before", () => expect(parseExperiment("?view=deleted")).toEqual({ ...DEFAULT_VIEW, deleted: true }));
  it("keeps in a saved view what outlasts the moment", () => {
    const again = applyState(stateOf(full), "xyz");
    expect(again).toEqual({ ...full, view: "xyz", zoom: null, open: [], draw: null });
    expect(stateOf(again)).toBe(stateOf(full));
    expect(isBare({ ...DEFAULT_VIEW, view: "xyz" })).toBe(true);
    expect(isBare(full)).toBe(false);
  });
  it("survives nonsense", () => expect(parseExperiment("?smooth=x&zoom=9~1&x=moon&layout=q&band=z&yrange=a|2|1~b|x|3&ysmooth=a|&own=title~|k")).toEqual(DEFAULT_VIEW));
});

describe("compare view", () => {
  it("round-trips", () => {
    const full: CompareView = { runs: ["a", "b"], experiments: ["1", "2"], q: "params.a = 'x~y'", deleted: true, some: { only: packIds(["a b", "c,d"]) }, base: "b", part: "scatter", target: "eval/loss", colour: "params.lr", axes: ["params.a,b", "metrics.m"],
      brush: [{ key: "metrics.m", from: -1.5, to: 2e-9 }, { key: "params.s", words: ["a b", "c::d~e"] }], x: "params.lr", y: "metrics.m",
      board: { ...DEFAULT_BOARD, x: "relative", smooth: 0.5, charts: "eval/*", zoom: [1, 20], options: { "eval/loss": { logY: true } }, fold: ["system"] } };
    expect(parseCompare(formatCompare(full))).toEqual(full);
    expect(formatCompare(DEFAULT_COMPARE)).toBe("");
  });
  it("names a part of a search in the fragment", () => {
    const hex = Array.from({ length: 3000 }, (_, i) => (i * 7919).toString(16).padStart(32, "f0"));
    for (const ids of [hex, ["a b", "c,d", "Größe"], []]) expect(unpackIds(packIds(ids))).toEqual(ids);
    expect(packIds(hex)).toMatch(/^[\w-]{64000}$/);
    const view = { ...DEFAULT_COMPARE, experiments: ["1"], some: { but: packIds(hex.slice(0, 2)) } };
    expect(formatCompare(view)).toMatch(/^\?e=1#but=/);
    expect(parseCompare(formatCompare(view))).toEqual(view);
    expect([unpackIds("%%"), parseCompare("?e=1#main").some, parseCompare("?e=1#only=").some]).toEqual([[], null, null]);
  });
  it("drops doubles and nonsense", () => {
    expect(parseCompare("?runs=a,a,b").runs).toEqual(["a", "b"]);
    expect(parseCompare("?part=moon&brush=x::y::z~~")).toEqual(DEFAULT_COMPARE);
  });
});

describe("MLflow's addresses", () => {
  it.each([
    ["#/experiments/1/runs/abc", "/e/1/runs/abc"],
    ["#/experiments/1", "/e/1"],
    ["#/", "/"],
    ['#/compare-runs?runs=["a","b"]&experiments=["1"]', comparePath({ runs: ["a", "b"] })],
  ])("%s", (hash, path) => expect(fromMlflowHash(hash)).toBe(path));
  it("leaves other fragments alone", () => expect(fromMlflowHash("#main")).toBeNull());
});
