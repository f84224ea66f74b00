import { expect, it } from "vitest";
import { csvRows, jsonTable, kindOf, prettyJson, wholeLines } from "./preview";

it.each([["a/b.PNG", "image"], ["x.json", "json"], ["t.tsv", "csv"], ["model/MLmodel", "text"], ["a.html", "text"], ["docs/README.md", "markdown"], ["w.safetensors", "other"], ["x.svg", "other"]])("%s is %s", (path, kind) => expect(kindOf(path)).toBe(kind));
it("reads CSV", () => {
  expect(csvRows('a,b\r\n"x, y","say ""hi"""\n1,\n', ",", 9)).toEqual([["a", "b"], ["x, y", 'say "hi"'], ["1", ""]]);
  expect(csvRows("a\nb\nc", ",", 2)).toEqual([["a"], ["b"]]);
});
it("leaves broken JSON as it is", () => expect(prettyJson("{")).toBe("{"));
it("reads logged tables", () => {
  expect(jsonTable('{"columns": ["a", "b"], "data": [[1, "x"], [null, {"k": 1}], [3, true]]}', 2)).toEqual({ head: ["a", "b"], body: [["1", "x"], ["", '{"k":1}']] });
  for (const other of ["{", "null", "[1]", '{"columns": ["a"]}', '{"columns": [], "data": []}', '{"columns": ["a"], "data": [1]}']) expect(jsonTable(other, 9)).toBeNull();
});
it("drops a line that was cut off", () => {
  expect(wholeLines("a,b\n1,2\n3")).toBe("a,b\n1,2\n");
  expect(wholeLines("one long line")).toBe("one long line");
});
