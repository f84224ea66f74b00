import { expect, it } from "vitest";
import { bestOf, commonPrefix, fold, splitName, textLines } from "./diff";

it("folds equal lines", () => {
  const lines = textLines(["lr", "seed", "only"], [{ lr: "1", seed: "1", only: "x" }, { lr: "2", seed: "1" }]);
  expect(fold(lines).differing.map((l) => l.key)).toEqual(["lr", "only"]);
  expect(fold(lines).equal.map((l) => l.key)).toEqual(["seed"]);
});

it("marks the best", () => {
  expect(bestOf([3, 1, null, NaN, 1], true)).toEqual(new Set([1, 4]));
  expect(bestOf([3, 1], false)).toEqual(new Set([0]));
  expect(bestOf([1, 1], true).size).toBe(0);
  expect(bestOf([1], true).size).toBe(0);
});

it("finds what names share", () => {
  expect(commonPrefix(["standard_lr1e-4", "standard_lr5e-5"])).toBe("standard_");
  expect(commonPrefix(["standard_lr1e-4", "standard_lr1e-5"])).toBe("standard_");
  expect(commonPrefix(["a", "b"])).toBe("");
  expect(commonPrefix(["run_", "run_1"])).toBe("");
  expect(commonPrefix(["one"])).toBe("");
});

it("keeps what tells names apart", () => {
  expect(splitName("standard_lr1e-4", "standard_", 40)).toEqual({ shared: "standard_", own: "lr1e-4" });
  expect(splitName("a-long-name-without-a-shared-start", "", 11)).toEqual({ shared: "", own: "a-lon…start" });
});
