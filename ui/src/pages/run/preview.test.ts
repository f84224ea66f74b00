import { expect, it } from "vitest";
import { csvRows, kindOf, prettyJson } from "./preview";

it.each([["a/b.PNG", "image"], ["x.json", "json"], ["t.tsv", "csv"], ["model/MLmodel", "text"], ["a.html", "text"], ["w.safetensors", "other"], ["x.svg", "other"]])("%s is %s", (path, kind) => expect(kindOf(path)).toBe(kind));
it("reads CSV", () => {
  expect(csvRows('a,b\r\n"x, y","say ""hi"""\n1,\n', ",", 9)).toEqual([["a", "b"], ["x, y", 'say "hi"'], ["1", ""]]);
  expect(csvRows("a\nb\nc", ",", 2)).toEqual([["a"], ["b"]]);
});
it("leaves broken JSON as it is", () => expect(prettyJson("{")).toBe("{"));
