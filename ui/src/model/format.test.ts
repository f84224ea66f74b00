import { expect, it } from "vitest";
import { digitsFor, formatAgo, formatBytes, formatDelta, formatDuration, formatMoment, formatNumber, formatParam, formatValue, middle, tellApart } from "./format";

it("gives a column one number of decimals", () => {
  const digits = digitsFor([0.3487, 0.41, 1.2, NaN, null]);
  expect(digits).toEqual({ fraction: 4 });
  expect(formatValue(1.2, digits, "en")).toBe("1.2000");
  expect(formatValue(0.3487, digits, "de")).toBe("0,3487");
  expect(digitsFor([1, 2000, null])).toEqual({ fraction: 0 });
  expect(digitsFor([1e-4, 5e-5])).toEqual({ fraction: null });
});

it("writes values that are no numbers as words", () => {
  expect(formatNumber(null, "en")).toBe("–");
  expect(formatNumber(NaN, "en")).toBe("NaN");
  expect(formatNumber(Infinity, "en")).toBe("Inf");
  expect(formatNumber(-Infinity, "en")).toBe("−Inf");
});

it("does not round a small value to nothing", () => {
  expect(formatValue(2e-7, { fraction: 3 }, "en")).toBe("2e-7");
  expect(formatNumber(0.0001, "en")).toBe("1e-4");
  expect(formatNumber(-1.5, "en")).toBe("−1.500");
  expect(formatNumber(7261655040, "en")).toBe("7,261,655,040");
});

it("signs deltas", () => {
  expect(formatDelta(-0.0119, "en")).toBe("−1.2 %");
  expect(formatDelta(0.1, "de")).toBe("+10,0 %");
  expect(formatDelta(0.0001, "en")).toBe("0.0 %");
  expect(formatDelta(null, "en")).toBe("–");
});

it("writes times", () => {
  expect(formatDuration(25 * 60000 + 7000)).toBe("25m 07s");
  expect(formatDuration(3 * 3600000 + 5 * 60000)).toBe("3h 05m");
  expect(formatDuration(null)).toBe("–");
  expect(formatAgo(0, 5, "en")).toBe("–");
  expect(formatAgo(1000, 1000 + 7200000, "en")).toBe("2 h");
});

it("has words for a moment that no calendar holds", () => {
  expect(formatMoment(2 ** 62, 5, "en")).toBe("beyond the calendar");
  expect(formatMoment(-(2 ** 62), 5, "de")).toBe("vor jedem Kalender");
  expect(formatMoment(NaN, 5, "en")).toBe("–");
  expect(formatMoment(8.64e15, 5, "en")).toContain("275760");
});

it("writes sizes and names", () => {
  expect(formatBytes(26_100_000, "en")).toBe("26.1 MB");
  expect(formatBytes(512, "en")).toBe("512 B");
  expect(middle("standard_lr1e-4_bs4_warmup200", 21)).toHaveLength(21);
  expect(middle("short")).toBe("short");
});

it("tells long names apart", () => {
  const names = ["model.encoder.block_0.hidden_size", "model.encoder.block_11.hidden_size", "lr", "eval/accuracy_on_validation"];
  expect([...tellApart(names).values()]).toEqual(["…block_0…", "…block_11…", "lr", middle(names[3]!, 17)]);
  expect([...tellApart(["per_device_train_batch_size", "per_device_eval_batch_size"]).values()]).toEqual(["…train…", "…eval…"]);
  expect(tellApart([names[0]!]).get(names[0]!)).toHaveLength(17);
  expect([...tellApart([names[0]!, names[0]!]).values()]).toEqual([middle(names[0]!, 17)]);
  const [a, b] = [`${"x".repeat(30)}.a`, `${"x".repeat(30)}.a.b`];
  expect(tellApart([a, b]).get(a)!.length).toBeLessThanOrEqual(17);
});

it("shortens long fractions among parameters and nothing else", () => {
  expect(formatParam("0.00096515779")).toBe("0.000965158");
  expect(formatParam("3.14159265358979")).toBe("3.14159");
  expect(formatParam("1.23456789e-12")).toBe("1.23457e-12");
  for (const same of ["0.0001", "1e-4", "5e-05", "12345678", "True", "", "q_proj,k_proj", "1.2.3456789", "0.500000"]) expect(formatParam(same)).toBe(same);
});
