import { describe, expect, it } from "vitest";
import type { Columns, Row } from "../api/table";
import { defaultColumns, differs, fileColumn, headerGroups, fitValues, metricValue, moveColumn, orderBy, toColumn, toColumns, windowOf, wireColumn, withDelta, withPinned, withWidths } from "./columns";
import { addSlot, assignSlots, removeSlot, slotOf, toggleSlot } from "./slots";

const columns: Columns = {
  runs: 3,
  metrics: [{ key: "eval/loss", runs: 3 }, { key: "eval/ppl", runs: 3 }, { key: "train/loss", runs: 3 }, { key: "train/grad_norm", runs: 3 }, { key: "system/cpu", runs: 3 }],
  params: [{ key: "lr", runs: 3, distinct: 2, values: [] }, { key: "same", runs: 3, distinct: 1, values: [] }],
  tags: [{ key: "mlflow.user", runs: 3, distinct: 2, values: [] }, { key: "phase", runs: 3, distinct: 2, values: [] }],
};

describe("columns", () => {
  it("starts with what answers", () =>
    expect(defaultColumns(columns, "eval/loss", "train/loss")).toEqual(
      ["metrics.eval/loss", "metrics.eval/ppl", "spark.train/loss", "params.lr", "max:metrics.train/grad_norm", "tags.phase", "run.duration", "run.started"]));
  it("reads ids", () => {
    expect(toColumn("max:metrics.train/grad_norm")).toMatchObject({ kind: "metric", key: "train/grad_norm", aggregate: "max", group: "train/", name: "grad_norm", sort: "max:metrics.train/grad_norm" });
    expect(toColumn("params.a.b")).toMatchObject({ kind: "param", key: "a.b", sort: "params.a.b" });
    expect(toColumn("nonsense")).toBeNull();
    expect(toColumn("run.nonsense")).toBeNull();
  });
  it("shows the last value beside a line, unless it has a column", () => {
    expect(toColumns(["spark.loss", "nonsense"])).toMatchObject([{ kind: "spark" }]);
    expect(toColumns(["spark.loss"])[0]!.bare).toBeUndefined();
    expect(toColumns(["metrics.loss", "spark.loss"])[1]).toMatchObject({ bare: true });
    expect(wireColumn(toColumn("spark.loss")!)).toBe("metrics.loss");
  });
  it("leaves room for parameters on a small screen", () => {
    const widths = toColumns(["metrics.eval/loss", "metrics.eval/perplexity", "spark.train/loss", "params.learning_rate", "params.lora_rank"]).map((c) => c.width);
    expect(widths.reduce((a, b) => a + b, 0)).toBeLessThan(835 - 254);
  });
  it("gives parameters the width of their values", () => {
    const long = { ...columns, params: [{ key: "lr", runs: 3, distinct: 2, values: ["0.00096515779", "1"] }] };
    expect(fitValues(toColumn("params.lr")!, long).width).toBeGreaterThan(toColumn("params.lr")!.width);
    expect(fitValues(toColumn("params.lr")!, columns).width).toBe(toColumn("params.lr")!.width);
    expect(fitValues(toColumn("metrics.lr")!, long).width).toBe(toColumn("metrics.lr")!.width);
  });
  it("groups neighbours", () => {
    const list = ["metrics.eval/loss", "metrics.eval/ppl", "params.lr"].map((id) => toColumn(id)!);
    expect(headerGroups(list).map((g) => [g.group, g.columns.length])).toEqual([["eval/", 2], ["params", 1]]);
  });
  it("adds the change after every metric", () =>
    expect(withDelta(toColumns(["params.a", "min:metrics.m", "tags.b"])).map((c) => [c.id, c.aggregate])).toEqual([["params.a", "last"], ["min:metrics.m", "min"], ["delta.min:metrics.m", "min"], ["tags.b", "last"]]));
  it("takes the change beside a last value from the kept reading", () =>
    expect(withDelta(toColumns(["metrics.m", "max:metrics.m"]), () => "best").map((c) => [c.id, c.aggregate])).toEqual([["metrics.m", "last"], ["delta.metrics.m", "best"], ["max:metrics.m", "max"], ["delta.max:metrics.m", "max"]]));
  it("brings pinned ones to the front and keeps given widths", () => {
    const list = withWidths(withPinned(toColumns(["params.a", "params.b", "params.c"]), ["params.c"]), { "params.a": 99, "params.b": 1 });
    expect(list.map((c) => c.key)).toEqual(["c", "a", "b"]);
    expect(list[1]!.width).toBe(99);
    expect(list[2]!.width).toBeGreaterThan(40);
  });
  it("moves a column to where another stood", () => {
    expect(moveColumn(["a", "b", "c", "d"], "d", "b")).toEqual(["a", "d", "b", "c"]);
    expect(moveColumn(["a", "b", "c", "d"], "a", "c")).toEqual(["b", "c", "a", "d"]);
    expect(moveColumn(["a", "b"], "x", "b")).toEqual(["a", "b"]);
  });
  it("finds the columns in view", () => {
    const offsets = Array.from({ length: 501 }, (_, i) => i * 100);
    expect(windowOf(offsets, 0, 250, 0)).toEqual([0, 3]);
    expect(windowOf(offsets, 10_050, 200, 0)).toEqual([100, 103]);
    expect(windowOf(offsets, 49_900, 900, 2)).toEqual([497, 500]);
    expect(windowOf([0], 0, 100)).toEqual([0, 0]);
  });
  it("knows which value is the best", () => {
    const row = { run: {}, texts: {}, metrics: { m: { last: 2, min: 1, max: 3 } } } as unknown as Row;
    expect([metricValue(row, "m", "best", true), metricValue(row, "m", "best", false), metricValue(row, "m", "last", false)]).toEqual([1, 3, 2]);
  });
  it("writes order_by", () => {
    const written = (...keys: string[]) => orderBy(keys.map((key) => ({ key, desc: key.startsWith("a") })), (key) => key !== "acc");
    expect(written("metrics.eval/loss", "attributes.start_time", "params.a`b")).toEqual(["metrics.`eval/loss` ASC", "attributes.start_time DESC", "params.`a``b` ASC"]);
    expect(written("min:metrics.loss", "best:metrics.loss", "best:metrics.acc", "max:metrics.a.b")).toEqual(["min(metrics.`loss`) ASC", "min(metrics.`loss`) ASC", "max(metrics.`acc`) ASC", "max(metrics.`a.b`) ASC"]);
  });
  it("names columns for files", () =>
    expect(["metrics.a", "best:metrics.acc", "spark.a", "params.lr", "run.duration"].map((id) => fileColumn(toColumn(id)!, (key) => key !== "acc"))).toEqual(["metrics.a", "max(metrics.acc)", null, "params.lr", null]));
  it("knows what differs", () => {
    const row = (lr: string | null): Row => ({ run: {} as Row["run"], metrics: {}, texts: { "params.lr": lr } });
    expect(differs(toColumn("params.lr")!, [row("1"), row("1")])).toBe(false);
    expect(differs(toColumn("params.lr")!, [row("1"), row(null)])).toBe(true);
    expect(differs(toColumn("run.duration")!, [row("1"), row("1")])).toBe(true);
  });
});

describe("colour slots", () => {
  it("takes the lowest free one", () => {
    expect(addSlot(["a", "", "c"], "b")).toEqual(["a", "b", "c"]);
    expect(removeSlot(["a", "b"], "b")).toEqual(["a"]);
    expect(removeSlot(["a", "b"], "a")).toEqual(["", "b"]);
    expect(toggleSlot(["a"], "a")).toEqual([]);
    expect(slotOf(["", "x"], "x")).toBe(1);
  });
  it("keeps what it can", () => expect(assignSlots(["a", "b", "c"], ["d", "c", "a"])).toEqual(["a", "d", "c"]));
});
