import { describe, expect, it } from "vitest";
import type { Row } from "../api/table";
import { axisOf, boxes, boxOf, brushFilter, diffLines, marksOf, numberAt, passes, placeOn, valueOf } from "./compare";

const row = (params: Record<string, string>, loss: number | null = null): Row => ({
  run: {} as Row["run"], texts: Object.fromEntries(Object.entries(params).map(([k, v]) => [`params.${k}`, v])),
  metrics: { loss: { last: loss, step: 1, min: null, minStep: null, max: null, maxStep: null } },
});

describe("axes", () => {
  it("reads numbers, words and what is missing", () => {
    expect([valueOf(row({ lr: "1e-4" }), "params.lr"), valueOf(row({ o: "adam" }), "params.o"), valueOf(row({}), "params.o"), valueOf(row({}, NaN), "metrics.loss")]).toEqual([1e-4, "adam", null, null]);
  });
  it("is logarithmic over a decade and goes there and back", () => {
    const axis = axisOf("params.lr", [row({ lr: "1e-5" }), row({ lr: "1e-3" })]);
    expect(axis).toMatchObject({ log: true, low: 1e-5, high: 1e-3 });
    expect(placeOn(axis, 1e-4)).toBeCloseTo(0.5);
    expect(numberAt(axis, 0.5)).toBeCloseTo(1e-4);
    expect(marksOf(axis).map((m) => m.value)).toEqual([1e-5, 1e-3]);
    expect(marksOf({ ...axis, few: undefined }).map((m) => m.value)).toContain(1e-4);
  });
  it("orders words and keeps one value in the middle", () => {
    const axis = axisOf("params.o", [row({ o: "b10" }), row({ o: "b2" }), row({ o: "7" })]);
    expect(axis.words).toEqual(["7", "b2", "b10"]);
    expect(placeOn(axis, "b2")).toBe(0.5);
    expect(placeOn(axisOf("params.n", [row({ n: "4" }), row({ n: "4" })]), 4)).toBe(0.5);
    expect(placeOn(axis, null)).toBeNull();
  });
  it("marks whole steps", () => expect(marksOf(axisOf("metrics.loss", [row({}, 0.11), row({}, 0.52)])).map((m) => m.value)).toEqual([0.2, 0.3, 0.4, 0.5]));
  it("joins brushes of one axis and cuts by several", () => {
    const rows = [row({ lr: "1", o: "a" }), row({ lr: "5", o: "b" }), row({ lr: "9", o: "a" }), row({ o: "a" })];
    const brush = [{ key: "params.lr", from: 0, to: 2 }, { key: "params.lr", from: 8, to: 9 }, { key: "params.o", words: ["a"] }];
    expect(rows.map((r) => passes(r, brush))).toEqual([true, false, true, false]);
    expect(rows.every((r) => passes(r, []))).toBe(true);
  });
});

describe("brushes as a filter", () => {
  const last = () => "last" as const;
  it("joins those of one axis and cuts by several", () => {
    const brush = [{ key: "params.lr", from: 0, to: 2 }, { key: "params.lr", from: 8, to: 9 }, { key: "params.o", words: ["a"] }];
    expect(brushFilter(brush, last)).toBe("(params.lr >= 0 AND params.lr <= 2 OR params.lr >= 8 AND params.lr <= 9) AND params.o IN ('a')");
    expect(brushFilter([], last)).toBe("");
  });
  it("quotes words, and takes numbers among them however they are written", () => {
    expect(brushFilter([{ key: "params.note to", words: ["it's", "0.001"] }], last)).toBe('(params.`note to` IN ("it\'s") OR params.`note to` >= 0.001 AND params.`note to` <= 0.001)');
    expect(brushFilter([{ key: "params.o", words: [`it's "b"`] }], last)).toBe(`params.o IN ('it''s "b"')`);
  });
  it("reads a metric as runs are judged by it", () => expect(brushFilter([{ key: "metrics.loss", from: 0.1, to: 0.2 }], () => "min")).toBe("min(metrics.loss) >= 0.1 AND min(metrics.loss) <= 0.2"));
});

describe("boxes", () => {
  it("has quartiles, whiskers and what lies beyond", () => expect(boxOf("x", [1, 2, 3, 4, 5, 100])).toEqual({ label: "x", count: 6, low: 1, q1: 2.25, median: 3.5, q3: 4.75, high: 5, outliers: [100] }));
  it("goes by the values of a parameter, in their order", () => {
    const rows = [row({ r: "16" }, 1), row({ r: "8" }, 2), row({ r: "16" }, 3), row({}, 9), row({ r: "8" }, null)];
    expect(boxes(rows, "params.r", "loss", String).map((b) => [b.label, b.count])).toEqual([["8", 1], ["16", 2]]);
  });
});

describe("line diff", () => {
  const show = (a: string, b: string) => diffLines(a, b)!.map((l) => ({ same: " ", out: "-", in: "+" })[l.kind] + l.text);
  it("shows what went and what came", () => expect(show("a\nb\nc\nd\n", "a\nc\nx\nd\n")).toEqual([" a", "-b", " c", "+x", " d"]));
  it("knows empty sides and equal ones", () => {
    expect(show("", "a\n")).toEqual(["+a"]);
    expect(show("a\n", "")).toEqual(["-a"]);
    expect(show("a\nb", "a\nb")).toEqual([" a", " b"]);
  });
  it("gives up on what is too long", () => expect(diffLines("a\n".repeat(1) + Array.from({ length: 3000 }, (_, i) => `x${i}`).join("\n"), Array.from({ length: 3000 }, (_, i) => `y${i}`).join("\n"))).toBeNull());
});
