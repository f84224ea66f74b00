import { expect, it } from "vitest";
import { addUp, dayAt, DAYS, firstDay } from "./days";

it("ends with today", () => {
  const now = new Date(2026, 10, 22, 15, 30).getTime();
  const since = firstDay(now);
  expect(new Date(since).getDate()).toBe(9);
  expect(dayAt(since, DAYS - 1)).toBeLessThanOrEqual(now);
  expect(dayAt(since, DAYS)).toBeGreaterThan(now);
});

it("adds up day by day", () => expect(addUp([[1, 2], [10]]).slice(0, 3)).toEqual([11, 2, 0]));
