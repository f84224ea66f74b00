import { expect, it } from "vitest";
import type { Row, TableQuery } from "./table";
import { groupId, GroupStore, toGroups, type GroupQuery } from "./tableGroups";

const QUERY: GroupQuery = { experiment_ids: ["1"], filter: "", view: "active", by: ["params.lr"], metrics: ["loss"], order_by: [] };
const body = {
  values: { "params.lr": ["0.1", null] }, runs: [3, 2], filters: ["params.lr = '0.1'", "params.lr IS NULL"], total: 2,
  metrics: { loss: { count: [3, 0], mean: [1.5, null], std: [0.5, null], min: [1, null], max: [2, "Infinity"], median: [1.5, null] } },
};
const row = (id: string): Row => ({ run: { run_id: id, experiment_id: "1", name: id, status: "FINISHED", start_time: 0, end_time: 1, lifecycle_stage: "active" }, metrics: {}, texts: {}, have: new Set() });

function made() {
  const asked: TableQuery[] = [];
  const store = new GroupStore(() => Promise.resolve({ groups: toGroups(body), total: 2 }), (query) => {
    asked.push(query);
    const count = query.filter?.includes("NULL") ? 2 : 3;
    return Promise.resolve({ rows: Array.from({ length: count }, (_, i) => row(`${count}-${i}`)), total: count, next: "" });
  });
  return { store, asked };
}
const lines = (store: GroupStore) => Array.from({ length: store.count }, (_, i) => {
  const item = store.at(i);
  return item === undefined ? "…" : item.kind === "group" ? `[${item.group.values.join()}]` : item.row.run.run_id;
});

it("reads groups with what is absent", () => {
  const [first, second] = toGroups(body);
  expect(first!.metrics["loss"]).toEqual({ count: 3, mean: 1.5, std: 0.5, min: 1, max: 2, median: 1.5 });
  expect(second).toMatchObject({ values: [null], runs: 2, metrics: { loss: { mean: null, max: Infinity } } });
  expect(groupId(["a~b|c", null])).not.toContain("~");
  expect(groupId(["a|b"])).not.toBe(groupId(["a", "b"]));
});

it("lists the runs of open groups below them", async () => {
  const { store, asked } = made();
  await store.load(QUERY, { experiment_ids: ["1"], filter: "tags.a = 'b'" });
  expect(lines(store)).toEqual(["[0.1]", "[]"]);
  store.setOpen(["0.1"]);
  expect(lines(store)).toEqual(["[0.1]", "…", "…", "…", "[]"]);
  await store.need(0, 4, []);
  await Promise.resolve();
  expect(lines(store)).toEqual(["[0.1]", "3-0", "3-1", "3-2", "[]"]);
  expect(asked[0]!.filter).toBe("(tags.a = 'b') AND params.lr = '0.1'");
  store.setOpen([]);
  expect(lines(store)).toEqual(["[0.1]", "[]"]);
  expect(store.at(2)).toBeUndefined();
});

it("fetches the measures that are looked at, once", async () => {
  const asked: GroupQuery[] = [];
  const store = new GroupStore((query) => {
    asked.push(query);
    const metrics = Object.fromEntries(query.metrics.map((key) => [key, body.metrics.loss]));
    return Promise.resolve({ groups: toGroups({ ...body, metrics }), total: 2 });
  });
  await store.load({ ...QUERY, order_by: ["mean(loss) ASC"] }, {});
  const first = store.state.get().groups[0]!;
  await store.need(0, 1, [], { metrics: ["loss", "min(loss)", "acc"], texts: [] });
  await store.need(0, 1, [], { metrics: ["acc", "min(loss)"], texts: [] });
  expect(asked.map((query) => [query.metrics, query.order_by])).toEqual([[["loss"], ["mean(loss) ASC"]], [["min(loss)", "acc"], []]]);
  expect(Object.keys(store.state.get().groups[0]!.metrics)).toEqual(["loss", "min(loss)", "acc"]);
  expect(store.state.get().groups[0]).not.toBe(first);
  await store.refresh();
  expect(asked[2]!.metrics).toEqual(["loss", "acc", "min(loss)"]);
});

it("asks for no more measures at once than the server takes", async () => {
  const asked: number[] = [];
  const store = new GroupStore((query) => {
    asked.push(query.metrics.length);
    return Promise.resolve({ groups: toGroups({ ...body, metrics: {} }), total: 2 });
  });
  await store.load(QUERY, {});
  await store.need(0, 1, [], { metrics: Array.from({ length: 120 }, (_, i) => `m${i}`), texts: [] });
  expect(asked).toEqual([1, 50, 50, 20]);
});

it("fetches the texts that are looked at, a few at a time", async () => {
  const asked: [string[], string[]][] = [];
  const store = new GroupStore((query) => {
    asked.push([query.metrics, query.texts ?? []]);
    const texts = Object.fromEntries((query.texts ?? []).map((key) => [key, { distinct: [2, 0], missing: [0, 2], values: [["a", "b"], []] }]));
    return Promise.resolve({ groups: toGroups({ ...body, metrics: {}, texts }), total: 2 });
  });
  await store.load(QUERY, {});
  const texts = Array.from({ length: 10 }, (_, i) => `params.p${i}`);
  await store.need(0, 1, [], { metrics: ["loss"], texts });
  expect(asked).toEqual([[["loss"], []], [[], texts.slice(0, 8)], [[], texts.slice(8)]]);
  expect(store.state.get().groups.map((group) => group.texts["params.p9"])).toEqual([{ distinct: 2, missing: 0, values: ["a", "b"] }, { distinct: 0, missing: 2, values: [] }]);
});

it("asks again when something changed while a search was under way", async () => {
  const answers: (() => void)[] = [];
  const store = new GroupStore(() => new Promise((resolve) => answers.push(() => resolve({ groups: toGroups({ ...body, metrics: {} }), total: 2 }))));
  const done = store.load(QUERY, {});
  await store.refresh();
  answers[0]!();
  while (answers.length < 2) await new Promise((resolve) => setTimeout(resolve));
  answers[1]!();
  await done;
  expect(answers).toHaveLength(2);
});
