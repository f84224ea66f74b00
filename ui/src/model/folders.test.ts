import { describe, expect, it } from "vitest";
import { foldersOf, formatList, inFolder, isWithin, parentsOf, parseList } from "./folders";

it("makes folders of names", () => {
  const folders = foldersOf([{ name: "a/b/x" }, { name: "a/y" }, { name: "z" }, { name: "a2/y" }]);
  expect(folders).toEqual([
    { path: "a", name: "a", depth: 0, count: 2 }, { path: "a/b", name: "b", depth: 1, count: 1 }, { path: "a2", name: "a2", depth: 0, count: 1 },
  ]);
  expect(inFolder("a2/y", "a")).toBe(false);
  expect(inFolder("a/b/x", "a")).toBe(true);
});

it("round-trips its address", () => {
  const view = { folder: "a/b", search: "x y", deleted: true };
  expect(parseList(formatList(view))).toEqual(view);
  expect(formatList({ folder: "", search: "", deleted: false })).toBe("");
});

describe("places among folders", () => {
  it("names the folders above, and knows what is in one", () => {
    expect([parentsOf("a/b/c"), parentsOf("a")]).toEqual([["a", "a/b"], []]);
    expect([isWithin("a", "a"), isWithin("a/b", "a"), isWithin("ab", "a"), isWithin("", "a")]).toEqual([true, true, false, false]);
  });
});
