import { expect, it } from "vitest";
import type { Row } from "../api/table";
import { errorReason, lookFilter, lostRecords, problemsOf } from "./problems";

const row = (status: Row["run"]["status"], texts: Row["texts"] = {}, last: number | null = 0.5): Row => ({
  run: { run_id: "r", experiment_id: "1", name: "r", status, start_time: 1000, end_time: null, lifecycle_stage: "active" },
  metrics: { loss: { last, step: 1, min: null, minStep: null, max: null, maxStep: null } }, texts,
});
const MINUTE = 60_000;

it("reads the reason from a traceback", () => {
  expect(errorReason("Traceback (most recent call last):\n  File \"a.py\"\nRuntimeError: CUDA out of memory. Tried 2 GiB\n\n")).toBe("CUDA out of memory. Tried 2 GiB");
  expect(errorReason("torch.cuda.OutOfMemoryError: CUDA out of memory")).toBe("CUDA out of memory");
  expect(errorReason("ValueError: lr")).toBe("ValueError: lr");
  expect(errorReason("RuntimeError:")).toBe("RuntimeError:");
  expect(errorReason(undefined)).toBeNull();
});

it("counts lost records", () => {
  expect(lostRecords("212")).toBe(212);
  expect([lostRecords("0"), lostRecords("x"), lostRecords(null)]).toEqual([null, null, null]);
});

it("searches for what may need a look", () =>
  expect(lookFilter(["loss"], 7)).toBe("attributes.status IN ('RUNNING', 'LOST') OR (attributes.start_time >= 7 AND (attributes.status IN ('FAILED', 'KILLED') OR tags.`logbuch.records_lost` IS NOT NULL OR metrics.loss = NaN OR metrics.loss = Infinity OR metrics.loss = -Infinity))"));

it("finds what needs a look", () => {
  expect(problemsOf(row("FINISHED"), ["loss"], null, 10 * MINUTE)).toEqual([]);
  expect(problemsOf(row("FAILED", { "tags.logbuch.error": "a\nOSError: disk full" }), ["loss"], null, 0)).toEqual([{ kind: "failed", reason: "OSError: disk full" }]);
  expect(problemsOf(row("FINISHED", {}, NaN), ["loss"], null, 0)).toEqual([{ kind: "broken", key: "loss", word: "NaN" }]);
  expect(problemsOf(row("FINISHED", {}, -Infinity), ["loss"], null, 0)[0]).toMatchObject({ word: "Inf" });
  expect(problemsOf(row("FINISHED", { "tags.logbuch.records_lost": "7" }), [], null, 0)).toEqual([{ kind: "lost", count: 7 }]);
});

it("tells of a run whose process is gone", () => {
  expect(problemsOf(row("LOST"), ["loss"], null, 10 * MINUTE)).toEqual([{ kind: "gone" }]);
});

it("leaves alone what was stopped, unless its process had vanished or its loss broke", () => {
  const stopped = row("KILLED");
  expect(problemsOf(stopped, ["loss"], null, 0)).toEqual([]);
  expect(problemsOf({ ...stopped, run: { ...stopped.run, lost_time: 5 } }, ["loss"], null, 0)).toEqual([{ kind: "gone" }]);
  expect(problemsOf(row("KILLED", {}, NaN), ["loss"], null, 0)).toEqual([{ kind: "broken", key: "loss", word: "NaN" }]);
});

it("takes a running run for silent after five minutes without a point", () => {
  const now = 1000 + 12 * MINUTE;
  expect(problemsOf(row("RUNNING"), [], null, now)).toEqual([{ kind: "silent", since: 1000 }]);
  expect(problemsOf(row("RUNNING"), [], now - MINUTE, now)).toEqual([]);
  expect(problemsOf(row("RUNNING"), [], 5, now)).toEqual([{ kind: "silent", since: 1000 }]);
});
