import { lineValue, type Curve } from "./curve";
import { nearestBucket, type Span } from "./scale";

export interface Reading {
  curve: Curve;
  bucket: number;
  value: number;
}

/** The drawn curves' values nearest to `x`, best first. */
export function readings(curves: Curve[], x: number, span: Span, lower: boolean): Reading[] {
  const reach = (span[1] - span[0]) * 0.03;
  const found = curves.flatMap((curve) => {
    if (curve.slot === null) return [];
    const bucket = nearestBucket(curve.series, x, reach);
    return bucket < 0 ? [] : [{ curve, bucket, value: lineValue(curve, bucket) }];
  });
  const rank = (v: number) => (Number.isFinite(v) ? (lower ? v : -v) : Infinity);
  return found.sort((a, b) => rank(a.value) - rank(b.value));
}

/** The lines of a tooltip: the best ones, the emphasised one always among them. */
export function mostOf(all: Reading[], hot: string | null, most: number): Reading[] {
  const first = all.slice(0, most);
  const hotOne = all.find((r) => r.curve.id === hot);
  return hotOne && !first.includes(hotOne) ? [...first.slice(0, most - 1), hotOne] : first;
}
