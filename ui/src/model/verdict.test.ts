import { expect, it } from "vitest";
import type { Finding, Kind } from "../api/stability";
import { judgedFilter, unstableFilter, worst } from "./verdict";

const finding = (kind: Kind, start = 0): Finding => ({ kind, metric: "loss", start, end: null, value: null, usual: null, count: 1 });

it("tells the worst finding, and of equals the first", () => {
  expect(worst([])).toBeNull();
  expect(worst([finding("throughput"), finding("spike", 4), finding("gap")])?.kind).toBe("spike");
  expect(worst([finding("spike", 4), finding("spike", 9)])?.start).toBe(4);
});

it("searches for unstable runs within a search", () => {
  expect(unstableFilter("")).toBe("tags.`logbuch.stability` IN ('diverged', 'unstable')");
  expect(unstableFilter("params.a = '1' OR params.a = '2'")).toBe("(params.a = '1' OR params.a = '2') AND tags.`logbuch.stability` IN ('diverged', 'unstable')");
});

it("searches for the runs that are judged", () => {
  expect(judgedFilter("")).toBe("tags.`logbuch.stability` IS NOT NULL");
  expect(judgedFilter("params.a = '1'")).toBe("(params.a = '1') AND tags.`logbuch.stability` IS NOT NULL");
});
