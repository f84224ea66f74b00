import { expect, it } from "vitest";
import type { Row } from "../api/table";
import { nest } from "./nest";

const row = (id: string, parent: string | null = null): Row => ({
  run: { run_id: id, experiment_id: "1", name: `name-${id}`, status: "FINISHED", start_time: 0, end_time: null, lifecycle_stage: "active" },
  metrics: {}, texts: { "tags.mlflow.parentRunId": parent },
});
const ids = (rows: Row[]) => rows.map((r) => r.run.run_id).join(" ");
const byStart = [{ key: "attributes.start_time" }];

it("places children after their parent", () => {
  const found = nest([row("c2", "p"), row("x"), row("g", "c1"), row("c1", "p"), row("p"), row("lone", "elsewhere")], byStart);
  expect(ids(found.rows)).toBe("x p c2 c1 g lone");
  expect([...found.depth]).toEqual([["c2", 1], ["c1", 1], ["g", 2]]);
});

it("keeps an order by a metric and names the parent", () => {
  const found = nest([row("c", "p"), row("x"), row("p")], [{ key: "metrics.loss" }]);
  expect(ids(found.rows)).toBe("c x p");
  expect([...found.childOf]).toEqual([["c", "name-p"]]);
});

it("loses no run that is its own ancestor", () => {
  expect(ids(nest([row("a", "b"), row("b", "a"), row("s", "s")], byStart).rows)).toBe("s a b");
  const plain = [row("a")];
  expect(nest(plain, byStart).rows).toBe(plain);
});
