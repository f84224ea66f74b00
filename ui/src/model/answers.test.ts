import { describe, expect, it } from "vitest";
import type { Row } from "../api/table";
import { apart, bestRow, commonest, differences, isAside, usualValues, variedParams } from "./answers";

function row(id: string, last: number | null, params: Record<string, string> = {}, status: Row["run"]["status"] = "FINISHED"): Row {
  return {
    run: { run_id: id, experiment_id: "1", name: id, status, start_time: 0, end_time: null, lifecycle_stage: "active" },
    metrics: { loss: { last, step: 500, min: last, minStep: 1, max: last, maxStep: 1 } },
    texts: Object.fromEntries(Object.entries(params).map(([k, v]) => [`params.${k}`, v])),
  };
}

const loss = (of: Row) => of.metrics["loss"]?.last ?? null;

describe("best run", () => {
  const rows = [row("a", 0.5), row("b", NaN), row("c", 0.3, {}, "RUNNING"), row("d", 0.4), row("e", null)];
  it("is finished and finite", () => expect(bestRow(rows, loss, true)?.run.run_id).toBe("d"));
  it("knows the other direction", () => expect(bestRow(rows, loss, false)?.run.run_id).toBe("a"));
  it("is none while nothing has finished", () => expect(bestRow([rows[2]!], loss, true)).toBeNull());
  it("may be none", () => expect(bestRow([rows[1]!], loss, true)).toBeNull());
});

it("tells what sets a run apart", () => {
  const rows = [row("a", 1, { lr: "1", seed: "1" }), row("b", 2, { lr: "2", seed: "1" }), row("c", 3, { lr: "2" })];
  expect(apart(rows[0]!, rows, ["lr", "seed"], null)).toEqual([{ key: "lr", value: "1", usual: "2" }]);
  expect(apart(rows[0]!, rows, ["lr", "seed"], rows[1]!)).toEqual([{ key: "lr", value: "1", usual: "2" }]);
});

it("does not call usual what only the run itself has", () => {
  const rows = [row("a", 1, { lr: "0.0001" }), row("b", 2, { lr: "0.001" }), row("c", 3, { lr: "0.01" })];
  for (const each of rows) expect(apart(each, rows, ["lr"], null)).toHaveLength(1);
  expect(usualValues("a", rows.slice(0, 1), ["lr"])).toEqual({ lr: null });
});

it("does not take a missing parameter for a difference", () => {
  const rows = [row("a", 1, { lr: "1", seed: "1" }), row("b", 2, { lr: "1" })];
  expect(apart(rows[1]!, rows, ["lr", "seed"], rows[0]!)).toEqual([]);
  expect(apart(rows[0]!, rows, ["lr", "seed"], rows[1]!)).toEqual([]);
  expect(differences({ a: null, b: "1", c: "2" }, { a: "1", b: null, c: "3" })).toEqual([{ key: "c", value: "2", usual: "3" }]);
});

it("resolves ties for the most common value in one way, whatever the order", () => {
  expect(commonest(["16", "8", null, null, null])).toBe("8");
  expect(commonest(["8", "16"])).toBe("8");
  expect(commonest([null])).toBeNull();
  const rows = [row("a", 1, { lr: "2" }), row("b", 2, { lr: "1" }, "RUNNING"), row("c", 2, { lr: "1" }, "RUNNING")];
  expect(usualValues("", rows, ["lr"])).toEqual({ lr: "2" });
  expect(usualValues("", rows.slice(1), ["lr"])).toEqual({ lr: "1" });
});

it("orders varied parameters", () => {
  const p = (key: string, distinct: number, runs = 4) => ({ key, distinct, runs, values: [] });
  expect(variedParams([p("same", 1), p("id", 4), p("lr", 2), p("some", 1, 2)], 4)).toEqual(["some", "lr", "id"]);
});

it("knows seeds and labels, which set no configuration apart", () => {
  for (const key of ["seed", "random_state", "train/seed", "data_seed", "output_dir", "run_name", "args/logging_dir", "wandb_run_id"]) expect(isAside(key)).toBe(true);
  for (const key of ["lr", "seedling", "num_seeds", "lora_rank", "lora/rank", "model_name", "data_dir", "task_name"]) expect(isAside(key)).toBe(false);
});
