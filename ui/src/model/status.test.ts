import { expect, it } from "vitest";
import { durationOf, statusLook } from "./status";

it("knows every status", () => {
  expect(statusLook("FINISHED")).toEqual({ glyph: "FINISHED", tone: "ok" });
  expect(statusLook("NEW" as never)).toEqual({ glyph: "SCHEDULED", tone: "" });
});

it("measures runs", () => {
  expect(durationOf({ start_time: 10, end_time: 30, status: "FINISHED" }, 99)).toBe(20);
  expect(durationOf({ start_time: 10, end_time: null, status: "RUNNING" }, 99)).toBe(89);
  expect(durationOf({ start_time: 10, end_time: null, status: "FAILED" }, 99)).toBeNull();
  expect(durationOf({ start_time: 0, end_time: null, status: "RUNNING" }, 99)).toBeNull();
});
