import { expect, it } from "vitest";
import { COLUMNS, type BucketColumn, type Series } from "../api/buckets";
import { indexAt, logTicks, nearestBucket, tickLabels, ticks, timeTicks, xSpan, yRange } from "./scale";

function series(values: number[], step = 1): Series {
  const cols = Object.fromEntries(COLUMNS.map((c) => [c, new Float64Array(values.length)])) as Record<BucketColumn, Float64Array>;
  values.forEach((v, i) => {
    cols.x[i] = cols.x_last[i] = i * step;
    cols.count[i] = Number(Number.isFinite(v));
    cols.nan[i] = Number(Number.isNaN(v));
    for (const c of ["min", "max", "first", "last", "mean", "smooth"] as const) cols[c][i] = v;
  });
  return { runId: "r", key: "k", n: values.length, points: values.length, xMin: 0, xMax: (values.length - 1) * step, cols };
}

it("places round ticks", () => {
  expect(ticks([0.335, 0.475], 3)).toEqual([0.35, 0.4, 0.45]);
  expect(ticks([0, 1200], 6)).toEqual([0, 200, 400, 600, 800, 1000, 1200]);
  expect(ticks([1, 1], 4)).toEqual([1]);
  expect(logTicks([0.1, 1000], 5)).toEqual([0.1, 1, 10, 100, 1000]);
  expect(timeTicks([0, 3600000], 4)).toEqual([0, 900000, 1800000, 2700000, 3600000]);
});

it("labels them with equal decimals", () => {
  expect(tickLabels([0.35, 0.4, 0.45], "en")).toEqual(["0.35", "0.40", "0.45"]);
  expect(tickLabels([0, 10000, 20000], "en")).toEqual(["0k", "10k", "20k"]);
  expect(tickLabels([0, 5e-5, 1e-4], "en")).toEqual(["0", "5e-5", "1e-4"]);
  expect(tickLabels([40, 60], "en", true)).toEqual(["40%", "60%"]);
  expect(tickLabels([0.25, 0.5], "en")).toEqual(["0.25", "0.50"]);
  expect(tickLabels([0.5, 1], "de")).toEqual(["0,5", "1,0"]);
});

it("leaves early and rare values out of the range and counts them", () => {
  const s = series(Array.from({ length: 200 }, (_, i) => (i < 5 ? 50 : 1 + 0.001 * i)));
  const found = yRange([s], [0, 199], { log: false, full: false, smooth: () => false, lower: true });
  expect(found.span[1]).toBeLessThan(2);
  expect(found).toMatchObject({ above: 5, below: 0, single: true });
  s.cols.count[2] = 40;
  expect(yRange([s], [0, 199], { log: false, full: false, smooth: () => false, lower: true })).toMatchObject({ above: 5, single: false });
  expect(yRange([s], [0, 199], { log: false, full: true, smooth: () => false, lower: true }).span[1]).toBeGreaterThan(50);
});

it("never cuts off a better end", () => {
  const good = series(Array.from({ length: 400 }, (_, i) => (i === 399 ? -5 : 1 + 0.01 * (i % 7))));
  expect(yRange([good], [0, 399], { log: false, full: false, smooth: () => false, lower: true }).span[0]).toBeLessThan(-5);
  expect(yRange([good], [0, 399], { log: false, full: false, smooth: () => false, lower: false }).span[0]).toBeGreaterThan(0);
});

it("survives NaN, one value and nothing", () => {
  expect(yRange([series([NaN, NaN])], [0, 1], { log: false, full: false, smooth: () => false, lower: true }).span).toEqual([0, 1]);
  expect(yRange([series([5])], [0, 1], { log: false, full: false, smooth: () => false, lower: true }).span).toEqual([4.5, 5.5]);
  expect(yRange([series([0, -1])], [0, 1], { log: true, full: false, smooth: () => false, lower: true }).span).toEqual([0.1, 1]);
  expect(xSpan([])).toBeNull();
  expect(xSpan([series([1])])).toEqual([-0.5, 0.5]);
});

it("finds buckets", () => {
  const s = series([1, 2, 3], 10);
  expect(indexAt(s.cols.x, 3, 15)).toBe(1);
  expect(indexAt(s.cols.x, 3, -1)).toBe(-1);
  expect(nearestBucket(s, 16, 5)).toBe(2);
  expect(nearestBucket(s, 40, 5)).toBe(-1);
});
