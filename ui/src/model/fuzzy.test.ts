import { describe, expect, it } from "vitest";
import { best, fuzzy } from "./fuzzy";

describe("fuzzy search", () => {
  it("finds what stands there, with its places", () => expect(fuzzy("lr1e", "standard_lr1e-4")!.at).toEqual([9, 10, 11, 12]));
  it("finds letters in their order at beginnings of words", () => expect(fuzzy("gh", "Go to Home")!.at).toEqual([0, 6]));
  it("finds nothing where a letter is missing or letters lie far apart", () => {
    expect(fuzzy("xyz", "standard")).toBeNull();
    expect(fuzzy("ab", `a${"c".repeat(40)}b`)).toBeNull();
  });
  it("puts the whole name and its beginning first", () => {
    expect(best("loss", ["train/loss_scale", "xloss", "loss", "train/loss"], (x) => x, 9).map((m) => m.thing)).toEqual(["loss", "train/loss", "train/loss_scale", "xloss"]);
  });
  it("keeps the order without a query", () => expect(best(" ", ["b", "a"], (x) => x, 1).map((m) => m.thing)).toEqual(["b"]));
});
