import { expect, it } from "vitest";
import { judge, type LossBuckets } from "./stability";

function buckets(values: number[], points = values.length): LossBuckets {
  const of = (f: (v: number) => number) => values.map(f);
  const finite = (v: number) => (Number.isFinite(v) ? v : NaN);
  const x = values.map((_, i) => i * 10);
  return { n: values.length, points, cols: { x, x_last: x, count: of((v) => Number(Number.isFinite(v))), min: of(finite), max: of(finite), mean: of(finite), last: of(finite),
    nan: of((v) => Number(Number.isNaN(v))), pos_inf: of((v) => Number(v === Infinity)), neg_inf: of((v) => Number(v === -Infinity)) } };
}
const curve = (n = 200) => Array.from({ length: n }, (_, i) => 0.4 + Math.exp(-i / 30) + 0.01 * Math.sin(i * 1.7));

it("finds a quiet run stable", () => expect(judge(buckets(curve()), null).verdict).toBe("stable"));
it("finds NaN", () => {
  const found = judge(buckets([...curve(100), NaN, NaN]), null);
  expect(found.verdict).toBe("diverged");
  expect(found.broken).toEqual({ step: 1000, kind: "NaN", count: 2 });
});
it("finds infinities", () => expect(judge(buckets([...curve(100), Infinity]), null).broken?.kind).toBe("Inf"));
it("finds a rise without NaN", () => expect(judge(buckets([...curve(150), ...Array<number>(50).fill(2)]), null).verdict).toBe("diverged"));
it("finds a spike with its step and recovery", () => {
  const values = curve();
  [values[120], values[121], values[122]] = [2.5, 1.6, 0.9];
  const found = judge(buckets(values), null);
  expect(found.verdict).toBe("spiked");
  expect(found.spikes).toHaveLength(1);
  expect(found.spikes[0]).toMatchObject({ step: 1200, recovery: 30 });
});
it("does not take the noise of single steps near zero for a rise", () => {
  const values = Array.from({ length: 400 }, (_, i) => 2.3 * Math.exp(-i / 40) + 0.005 + 0.004 * Math.sin(i * 2.3));
  expect(judge(buckets(values), null).verdict).toBe("stable");
});
it("does not take the usual extremes of many points for spikes", () => {
  const found = buckets(curve(400).map((v) => v - 0.3), 400_000);
  found.cols.max = Array.from(found.cols.mean, (v, i) => v + 0.3 + 0.02 * Math.sin(i * 3.1));
  expect(judge(found, null).verdict).toBe("stable");
});
it("finds overfitting", () => {
  const evaluation = Array.from({ length: 20 }, (_, i) => 0.5 + ((i - 8) / 20) ** 2);
  expect(judge(buckets(curve()), buckets(evaluation)).verdict).toBe("overfitting");
});
it("says when there is too little", () => {
  expect(judge(buckets(curve(20)), null).verdict).toBe("short");
  expect(judge(null, null).verdict).toBe("unknown");
  expect(judge(buckets([]), null).verdict).toBe("unknown");
});
