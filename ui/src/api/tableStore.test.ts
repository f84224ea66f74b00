import { expect, it } from "vitest";
import { ApiError } from "./http";
import type { Row, TablePage, TableQuery } from "./table";
import { TableStore } from "./tableStore";

const row = (id: string, loss = 1): Row => ({
  run: { run_id: id, experiment_id: "1", name: id, status: "RUNNING", start_time: 0, end_time: null, lifecycle_stage: "active" },
  metrics: { loss: { last: loss, step: 1, min: loss, minStep: 1, max: loss, maxStep: 1 } }, texts: {}, have: new Set(["metrics.loss"]),
});

/** A server with numbered runs, newest first. */
function server(count: number) {
  const runs = Array.from({ length: count }, (_, i) => row(`r${i}`));
  const asked: TableQuery[] = [];
  const fetch = (query: TableQuery): Promise<TablePage> => {
    asked.push(query);
    if (query.filter === "bad") return Promise.reject(new ApiError(400, "INVALID_PARAMETER_VALUE", "bad filter"));
    const from = query.offset ?? 0;
    const most = query.max_results!;
    const list = query.run_ids ? runs.filter((r) => query.run_ids!.includes(r.run.run_id)) : runs.slice(from, from + most);
    if (query.columns?.includes("params.lr"))
      return Promise.resolve({ rows: list.map((one) => ({ ...one, metrics: {}, texts: { "params.lr": "x" }, have: new Set(query.columns) })), total: runs.length, next: "" });
    return Promise.resolve({ rows: list, total: runs.length, next: from + most < runs.length ? String(from + most) : "" });
  };
  return { runs, asked, store: new TableStore(fetch) };
}
const ids = (store: TableStore) => store.state.get().rows.map((r) => r.run.run_id);

it("loads pages where they are looked at", async () => {
  const { store, asked } = server(3000);
  await store.load({});
  expect(ids(store)).toHaveLength(200);
  await store.need(1500, 1540);
  expect(asked.map((q) => q.offset ?? 0)).toEqual([0, 1400]);
  expect(store.at(1500)?.run.run_id).toBe("r1500");
  expect(store.at(900)).toBeUndefined();
  expect(ids(store)).toHaveLength(200);
  await store.need(190, 210);
  expect(ids(store)).toHaveLength(400);
  expect((await store.rowsBetween(395, 405)).map((r) => r.run.run_id)).toHaveLength(11);
  await store.need(2990, 5000);
  expect(store.at(2999)?.run.run_id).toBe("r2999");
});

it("fetches the columns in view for the rows in view alone", async () => {
  const { store, asked } = server(300);
  await store.load({ columns: ["metrics.loss"] });
  await store.need(10, 12, ["metrics.loss", "params.lr"]);
  expect(asked.at(-1)).toMatchObject({ run_ids: ["r10", "r11", "r12"], columns: ["params.lr"] });
  expect(store.at(11)?.texts).toEqual({ "params.lr": "x" });
  expect(store.at(11)?.metrics["loss"]?.last).toBe(1);
  const count = asked.length;
  await store.need(11, 12, ["params.lr"]);
  expect(asked).toHaveLength(count);
});

it("keeps the last good result after an error", async () => {
  const { store } = server(5);
  await store.load({});
  await store.load({ filter: "bad" });
  expect(store.state.get().error?.message).toBe("bad filter");
  expect(ids(store)).toHaveLength(5);
  expect(store.state.get().filter).toBe("");
  await store.load({});
  expect(store.state.get().error).toBeNull();
});

it("holds new runs and changes values in place", async () => {
  const { store, runs } = server(3);
  await store.load({});
  runs.unshift(row("new"));
  runs[2] = row("r1", 0.5);
  await store.refresh(null, () => true);
  expect(ids(store)).toEqual(["r0", "r1", "r2"]);
  expect(store.state.get().rows[1]?.metrics["loss"]?.last).toBe(0.5);
  expect(store.state.get().held).toBe(1);
  store.release();
  expect(ids(store)).toEqual(["new", "r0", "r1", "r2"]);
  expect(store.state.get().held).toBe(0);
});

it("asks only for what changed when many rows are loaded", async () => {
  const { store, asked } = server(3000);
  await store.load({ columns: ["metrics.loss"] });
  await store.need(0, 1500);
  await store.refresh(["r7", "unknown"], () => false);
  expect(asked.at(-1)).toMatchObject({ run_ids: ["r7"], columns: ["metrics.loss"] });
});

it("asks a refused search once, and keeps what is shown fresh with the last good one", async () => {
  const { store, asked } = server(5);
  await store.load({ filter: "good" });
  await store.load({ filter: "bad" });
  await store.refresh(["r1"], () => false);
  await store.refresh(null, () => true);
  expect(asked.map((q) => q.filter)).toEqual(["good", "bad", "good", "good"]);
  expect(store.state.get().error?.message).toBe("bad filter");
  expect(store.state.get().filter).toBe("good");
});

it("asks again for what changed while a search was under way", async () => {
  const answers: ((rows: Row[]) => void)[] = [];
  const asked: TableQuery[] = [];
  const store = new TableStore((query) => {
    asked.push(query);
    return new Promise((resolve) => answers.push((rows) => resolve({ rows, total: rows.length, next: "" })));
  });
  const done = store.load({});
  await store.refresh(["r0"], () => false);
  await store.refresh(["r1"], () => false);
  expect(asked).toHaveLength(1);
  answers[0]!([row("r0", 1)]);
  while (answers.length < 2) await new Promise((resolve) => setTimeout(resolve));
  answers[1]!([row("r0", 0.5)]);
  await done;
  expect(store.state.get().rows[0]?.metrics["loss"]?.last).toBe(0.5);
  expect(asked).toHaveLength(2);
});

it("moves as the pointer is when an answer comes, not when it was asked for", async () => {
  const { store, runs } = server(3);
  await store.load({});
  let held = true;
  runs.unshift(row("new"));
  const inside = store.refresh(null, () => held);
  held = false;
  store.release();
  await inside;
  expect(ids(store)).toEqual(["new", "r0", "r1", "r2"]);
  runs.unshift(row("newer"));
  const outside = store.refresh(null, () => held);
  held = true;
  await outside;
  expect(ids(store)).toEqual(["new", "r0", "r1", "r2"]);
  expect(store.state.get().held).toBe(1);
});
