import { expect, it, vi } from "vitest";
import type { BucketQuery, Series } from "./buckets";
import { SeriesStore, type SeriesView } from "./series";

const view = (buckets: number): SeriesView => ({ x: "step", start: null, end: null, buckets, smoothing: 0 });
const settled = () => new Promise((done) => setTimeout(done, 5));

/** A store whose questions are answered one by one. */
function made() {
  const asked: BucketQuery[] = [];
  const waiting: { answer: () => void; fail: () => void }[] = [];
  const store = new SeriesStore((query) => {
    asked.push(query);
    return new Promise<Series[]>((done, fail) => waiting.push({ answer: () => done([]), fail: () => fail(new Error("gone")) }));
  });
  return { store, asked, waiting };
}

it("asks for what is drawn finest first, and lets no slow answer hold up the next question", async () => {
  const { store, asked, waiting } = made();
  store.hold(["a", "b"], "loss", view(40));
  await settled();
  store.hold(["a"], "loss", view(240));
  store.hold(["a"], "loss", view(600));
  store.hold(["a"], "acc", view(600));
  await settled();
  expect(asked.map((q) => [q.buckets, q.keys])).toEqual([[40, ["loss"]], [600, ["loss", "acc"]]]);
  waiting[1]!.answer();
  await settled();
  expect(asked[2]!.buckets).toBe(240);
  expect(store.peek("a", "acc", view(600))?.state).toBe("ready");
  expect(store.peek("b", "loss", view(40))?.state).toBe("loading");
});

it("asks again after the server was away", async () => {
  const { store, asked, waiting } = made();
  store.hold(["a"], "loss", view(40));
  const letGo = store.hold(["b"], "loss", view(80));
  await settled();
  waiting[0]!.fail();
  waiting[1]!.fail();
  await settled();
  expect(store.peek("a", "loss", view(40))?.error?.message).toBe("gone");
  letGo();
  store.retryFailed();
  await settled();
  expect(asked.slice(2).map((q) => q.run_ids)).toEqual([["a"]]);
});

it("rests between refreshes as long as they take", async () => {
  vi.useFakeTimers();
  const { store, asked, waiting } = made();
  store.hold(["a"], "loss", view(40));
  await vi.advanceTimersByTimeAsync(1);
  waiting[0]!.answer();
  await vi.advanceTimersByTimeAsync(1);
  store.markChanged(["a", "other"]);
  await vi.advanceTimersByTimeAsync(600);
  expect(asked.length).toBe(2);
  await vi.advanceTimersByTimeAsync(1000); // the server takes a second
  waiting[1]!.answer();
  await vi.advanceTimersByTimeAsync(1);
  store.markChanged(["a"]);
  await vi.advanceTimersByTimeAsync(1500);
  expect(asked.length).toBe(2);
  await vi.advanceTimersByTimeAsync(3000);
  expect(asked.length).toBe(3);
  vi.useRealTimers();
});
