import { expect, it } from "vitest";
import { COLUMNS, decodeBuckets } from "./buckets";

function encode(pad: number): ArrayBuffer {
  const n = 2;
  const series = ["r1", "r2"].map((run_id, i) => ({ run_id, key: "loss", buckets: n, points: 9, offset: i * n * 8 * COLUMNS.length, x_min: 0, x_max: 5 }));
  let text = JSON.stringify({ x: "step", columns: COLUMNS, series });
  while ((4 + text.length) % 8 !== pad) text += " ";
  const out = new ArrayBuffer(4 + text.length + 2 * n * 8 * COLUMNS.length);
  new DataView(out).setUint32(0, text.length, true);
  new Uint8Array(out, 4).set(new TextEncoder().encode(text));
  const values = new DataView(out, 4 + text.length);
  for (let s = 0; s < 2; s++)
    for (let c = 0; c < COLUMNS.length; c++)
      for (let i = 0; i < n; i++) values.setFloat64((s * COLUMNS.length * n + c * n + i) * 8, s * 1000 + c * 10 + i, true);
  return out;
}

it.each([0, 4])("decodes columns (padding %i)", (pad) => {
  const [first, second] = decodeBuckets(encode(pad));
  expect(first?.runId).toBe("r1");
  expect([...first!.cols.x]).toEqual([0, 1]);
  expect([...first!.cols.smooth]).toEqual([80, 81]);
  expect([...second!.cols.neg_inf]).toEqual([1110, 1111]);
  expect(second?.points).toBe(9);
});
