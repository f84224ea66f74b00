import { describe, expect, it } from "vitest";
import { COLUMNS, type BucketColumn, type Series } from "../api/buckets";
import { against, axisMetric, baseAxis, positivePart, stepsWithin } from "./against";

/** A series with one point a bucket. */
function series(key: string, x: number[], y: number[]): Series {
  const cols = Object.fromEntries(COLUMNS.map((name) => [name, new Float64Array(x.length)])) as Record<BucketColumn, Float64Array>;
  x.forEach((v, i) => {
    cols.x[i] = cols.x_last[i] = v;
    cols.count[i] = Number.isFinite(y[i]!) ? 1 : 0;
    for (const name of ["min", "max", "first", "last", "mean", "smooth"] as const) cols[name][i] = y[i]!;
  });
  return { runId: "r", key, n: x.length, points: x.length, xMin: x[0] ?? 0, xMax: x[x.length - 1] ?? 0, cols };
}

describe("a metric as the x-axis", () => {
  it("is told from steps and time", () => {
    expect(axisMetric("metrics.epoch")).toBe("epoch");
    expect(axisMetric("time")).toBeNull();
    expect([baseAxis("metrics.epoch"), baseAxis("relative")]).toEqual(["step", "relative"]);
  });
  it("joins by step and fills in between", () => {
    const joined = against(series("loss", [0, 5, 10, 15], [4, 3, 2, 1]), series("epoch", [0, 10], [0, 1]))!;
    expect([...joined.cols.x]).toEqual([0, 0.5, 1, 1]);
    expect([joined.xMin, joined.xMax]).toEqual([0, 1]);
  });
  it("puts what goes back in order, values with their places", () => {
    const joined = against(series("loss", [0, 1, 2], [4, 3, 2]), series("temperature", [0, 1, 2], [50, 70, 60]))!;
    expect([...joined.cols.x]).toEqual([50, 60, 70]);
    expect([...joined.cols.last]).toEqual([4, 2, 3]);
  });
  it("leaves out what is not a number", () => {
    expect([...against(series("loss", [0, 5, 10], [3, 2, 1]), series("epoch", [0, 5, 10], [0, NaN, 1]))!.cols.x]).toEqual([0, 0.5, 1]);
    expect(against(series("loss", [0], [3]), series("epoch", [0], [NaN]))).toBeNull();
  });
  it("knows the steps of a zoom", () => {
    expect(stepsWithin([series("epoch", [0, 10, 20, 30], [0, 1, 2, 3])], [1.2, 1.8])).toEqual([10, 20]);
    expect(stepsWithin([series("epoch", [0, 10], [0, 1])], [5, 6])).toBeNull();
  });
});

describe("a logarithmic x-axis", () => {
  it("has no place for zero and says how many points that are", () => {
    const { series: cut, dropped } = positivePart(series("loss", [0, 1, 10], [3, 2, 1]));
    expect([cut.n, dropped, [...cut.cols.x], cut.xMin]).toEqual([2, 1, [1, 10], 1]);
  });
});
