import { describe, expect, it } from "vitest";
import type { Row } from "../../api/table";
import { toColumn } from "../../model/columns";
import { formatsOf, heatOf } from "./formats";

const row = (acc: number): Row => ({ run: {} as Row["run"], metrics: { acc: { last: acc, step: 0, min: acc, minStep: 0, max: acc, maxStep: 0 } }, texts: {} });

describe("colour scales", () => {
  const rows = [0.1, 0.5, 0.9, 0.7].map(row);
  const heat = (lower: boolean) => formatsOf([toColumn("metrics.acc")!], rows, ["metrics.acc"], () => lower).heat.get("metrics.acc");
  it("are strongest at the best value, whichever way that is", () => {
    expect([heatOf(0.9, heat(false)), heatOf(0.1, heat(false))]).toEqual([0.95, 0]);
    expect([heatOf(0.1, heat(true)), heatOf(0.9, heat(true))]).toEqual([0.95, 0]);
  });
  it("stay full for values that are better than those they were made from", () => {
    expect(heatOf(5, heat(false))).toBe(0.95);
    expect(heatOf(-5, heat(true))).toBe(0.95);
  });
  it("leave out what is no number", () => expect([heatOf(null, heat(true)), heatOf(NaN, heat(true)), heatOf(1, undefined)]).toEqual([0, 0, 0]));
});
