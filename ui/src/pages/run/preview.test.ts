import { expect, it } from "vitest";
import { csvRows, jsonLines, jsonTable, kindOf, prettyJson, stepSeries, tensorHeader, wholeLines } from "./preview";

it.each([["a/b.PNG", "image"], ["x.json", "json"], ["t.tsv", "csv"], ["model/MLmodel", "text"], ["a.html", "html"], ["docs/README.md", "markdown"], ["w.safetensors", "safetensors"], ["x.svg", "image"], ["a.mp4", "video"], ["a.wav", "audio"], ["p.pdf", "pdf"], ["logbuch/diff.patch", "diff"], ["train.py", "text"], ["w.bin", "other"]])("%s is %s", (path, kind) => expect(kindOf(path)).toBe(kind));
it("reads CSV", () => {
  expect(csvRows('a,b\r\n"x, y","say ""hi"""\n1,\n', ",")).toEqual([["a", "b"], ["x, y", 'say "hi"'], ["1", ""]]);
  expect(csvRows("a\nb\n\nc", ",")).toEqual([["a"], ["b"], [""], ["c"]]);
});
it("leaves broken JSON as it is", () => expect(prettyJson("{")).toBe("{"));
it("reads logged tables", () => {
  expect(jsonTable('{"columns": ["a", "b"], "data": [[1, "x"], [null, {"k": 1}], [3, true]]}')).toEqual({ head: ["a", "b"], body: [["1", "x"], ["", '{"k":1}'], ["3", "true"]] });
  for (const other of ["{", "null", "[1]", '{"columns": ["a"]}', '{"columns": [], "data": []}', '{"columns": ["a"], "data": [1]}']) expect(jsonTable(other)).toBeNull();
});
it("drops a line that was cut off", () => {
  expect(wholeLines("a,b\n1,2\n3")).toBe("a,b\n1,2\n");
  expect(wholeLines("one long line")).toBe("one long line");
});
it("reads lines of JSON as a table of all keys", () => {
  expect(jsonLines('{"a": 1}\n{"b": [2], "a": null}\n')).toEqual({ head: ["a", "b"], body: [["1", ""], ["", "[2]"]] });
  for (const other of ["", "1\n2", "{", '["a"]']) expect(jsonLines(other)).toBeNull();
});

/** A safetensors file with this header. */
function tensors(header: string): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}
it("reads the header of safetensors", () => {
  const bytes = tensors('{"__metadata__": {"format": "pt"}, "w": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}, "s": {"dtype": "F32", "shape": [], "data_offsets": [12, 16]}}');
  expect(tensorHeader(bytes)).toEqual({ metadata: [["format", "pt"]], parameters: 7, tensors: [{ name: "w", dtype: "F16", shape: [2, 3], size: 12 }, { name: "s", dtype: "F32", shape: [], size: 4 }] });
  expect(tensorHeader(bytes.subarray(0, 20))).toEqual({ needs: bytes.length });
  expect(tensorHeader(tensors("{no"))).toBeNull();
  expect(tensorHeader(new Uint8Array(8).fill(255))).toBeNull();
  expect(tensorHeader(new Uint8Array(3))).toBeNull();
});
it("finds the pictures of a series by step", () => {
  const paths = ["s/epoch1_step_20.png", "s/epoch1_step_100.png", "s/epoch1_step_20.txt", "s/other_3.png", "s/plain.png"];
  expect(stepSeries(paths, "s/epoch1_step_100.png")).toEqual([{ step: 20, path: "s/epoch1_step_20.png" }, { step: 100, path: "s/epoch1_step_100.png" }]);
  expect(stepSeries(paths, "s/other_3.png")).toEqual([]);
  expect(stepSeries(paths, "s/plain.png")).toEqual([]);
});
