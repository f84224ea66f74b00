import { describe, expect, it } from "vitest";
import type { Row } from "../api/table";
import { apart, bestRow, explain, reproduction, unstableRows, variedParams } from "./answers";

function row(id: string, last: number | null, params: Record<string, string> = {}, status: Row["run"]["status"] = "FINISHED", min: number | null = last): Row {
  return {
    run: { run_id: id, experiment_id: "1", name: id, status, start_time: 0, end_time: null, lifecycle_stage: "active" },
    metrics: { loss: { last, step: 500, min, minStep: 1, max: last, maxStep: 1 } },
    texts: Object.fromEntries(Object.entries(params).map(([k, v]) => [`params.${k}`, v])),
  };
}

describe("best run", () => {
  const rows = [row("a", 0.5), row("b", NaN), row("c", 0.3, {}, "RUNNING"), row("d", 0.4), row("e", null)];
  it("is finished and finite", () => expect(bestRow(rows, "loss", true)?.run.run_id).toBe("d"));
  it("knows the other direction", () => expect(bestRow(rows, "loss", false)?.run.run_id).toBe("a"));
  it("is a running one when nothing has finished", () => expect(bestRow([rows[2]!], "loss", true)?.run.run_id).toBe("c"));
  it("may be none", () => expect(bestRow([rows[1]!], "loss", true)).toBeNull());
});

it("tells what sets a run apart", () => {
  const rows = [row("a", 1, { lr: "1", seed: "1" }), row("b", 2, { lr: "2", seed: "1" }), row("c", 3, { lr: "2" })];
  expect(apart(rows[0]!, rows, ["lr", "seed"], null)).toEqual([{ key: "lr", value: "1", usual: "2" }]);
  expect(apart(rows[2]!, rows, ["lr", "seed"], rows[1]!)).toEqual([{ key: "seed", value: null, usual: "1" }]);
});

it("explains the spread by the parameter that made it", () => {
  const rows = Array.from({ length: 24 }, (_, i) => row(`r${i}`, (i % 3) + 0.01 * i, { lr: String(i % 3), seed: String(i % 4), id: String(i) }));
  const found = explain(rows, "loss", ["seed", "lr", "id"]);
  expect(found?.key).toBe("lr");
  expect(found!.share).toBeGreaterThan(0.9);
  expect(explain(rows.slice(0, 7), "loss", ["lr"])).toBeNull();
});

it("counts unstable runs", () => {
  const rows = [row("a", NaN), row("b", 1, {}, "FINISHED", 0.5), row("c", 0.5), row("d", null)];
  expect(unstableRows(rows, "loss").map((r) => r.run.run_id)).toEqual(["a", "b"]);
});

it("orders varied parameters", () => {
  const p = (key: string, distinct: number, runs = 4) => ({ key, distinct, runs, values: [] });
  expect(variedParams([p("same", 1), p("id", 4), p("lr", 2), p("some", 1, 2)], 4)).toEqual(["some", "lr", "id"]);
});

it("says how to start again, and what it does not know", () => {
  const full = reproduction({ "mlflow.source.git.commit": "8d41f02aa3344556677", "mlflow.source.name": "train.py", "logbuch.python": "3.11.9" });
  expect(full.lines).toEqual(["git checkout 8d41f02aa334", "python train.py"]);
  expect(full.missing).toEqual([]);
  expect(reproduction({}).missing).toEqual(["commit", "command", "environment"]);
});
