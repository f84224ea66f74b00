import { expect, it } from "vitest";
import type { LossBuckets } from "./stability";
import { brokenFilter, runsFilter, unstableRuns } from "./unstable";

function buckets(values: number[]): LossBuckets {
  const finite = values.map((v) => (Number.isFinite(v) ? v : NaN));
  const zero = values.map(() => 0);
  const x = values.map((_, i) => i);
  return { n: values.length, points: values.length, cols: { x, x_last: x, count: values.map((v) => Number(Number.isFinite(v))), min: finite, max: finite, mean: finite, last: finite, nan: values.map((v) => Number(Number.isNaN(v))), pos_inf: zero, neg_inf: zero } };
}
const falling = Array.from({ length: 200 }, (_, i) => 0.4 + Math.exp(-i / 30) + 0.01 * Math.sin(i * 1.7));

it("judges like the page of a run, not by the last noisy point", () => {
  const noisyEnd = [...falling.slice(0, 199), 0.75];
  const spike = falling.map((v, i) => (i === 120 ? 2.5 : v));
  const found = unstableRuns([
    { id: "quiet", loss: buckets(falling), evaluation: null },
    { id: "noisy", loss: buckets([...noisyEnd.slice(0, 199), 0.45]), evaluation: null },
    { id: "nan", loss: buckets([...falling, NaN]), evaluation: null },
    { id: "evalNan", loss: buckets(falling), evaluation: buckets([1, NaN]) },
    { id: "spike", loss: buckets(spike), evaluation: null },
    { id: "none", loss: null, evaluation: null },
  ]);
  expect(found).toEqual({ diverged: ["nan", "evalNan"], spiked: ["spike"] });
});

it("searches for broken ends within a search", () => {
  expect(brokenFilter("", "train/loss")).toBe("metrics.`train/loss` = NaN OR metrics.`train/loss` = Infinity OR metrics.`train/loss` = -Infinity");
  expect(brokenFilter("params.a = '1' OR params.a = '2'", "loss")).toMatch(/^\(params.a = '1' OR params.a = '2'\) AND \(metrics.loss = NaN OR /);
});

it("names runs", () => expect(runsFilter(["a", "b"])).toBe("attributes.run_id IN ('a', 'b')"));
