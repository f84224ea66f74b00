import { expect, it } from "vitest";
import { statusOf } from "../api/runs";
import { durationOf, statusLook } from "./status";

it("knows every status", () => {
  expect(statusLook("FINISHED")).toEqual({ glyph: "FINISHED", tone: "ok" });
  expect(statusLook("LOST")).toEqual({ glyph: "LOST", tone: "warn" });
  expect(statusLook("NEW" as never)).toEqual({ glyph: "SCHEDULED", tone: "" });
});

it("reads a lost run from MLflow's answer", () => {
  expect(statusOf({ status: "RUNNING" })).toBe("RUNNING");
  expect(statusOf({ status: "RUNNING", lost_time: 7 })).toBe("LOST");
  expect(statusOf({ status: "KILLED", lost_time: 7 })).toBe("KILLED");
});

it("measures runs", () => {
  expect(durationOf({ start_time: 10, end_time: 30, status: "FINISHED" }, 99)).toBe(20);
  expect(durationOf({ start_time: 10, end_time: null, status: "RUNNING" }, 99)).toBe(89);
  expect(durationOf({ start_time: 10, end_time: null, status: "FAILED" }, 99)).toBeNull();
  expect(durationOf({ start_time: 0, end_time: null, status: "RUNNING" }, 99)).toBeNull();
});
