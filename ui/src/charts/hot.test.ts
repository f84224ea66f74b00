import { expect, it } from "vitest";
import { hotRun, letGo } from "./hot";

it("lets go of its own run only", () => {
  hotRun.set("a");
  letGo("b");
  expect(hotRun.get()).toBe("a");
  letGo("a");
  expect(hotRun.get()).toBeNull();
});
