import { expect, it } from "vitest";
import { inTurns } from "./turns";

const busy = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

it("does all jobs in their order, each with what follows it", async () => {
  const done: string[] = [];
  await inTurns(["a", "b"].map((name) => () => {
    done.push(name);
    queueMicrotask(() => done.push(`${name} drawn`));
  }));
  expect(done).toEqual(["a", "a drawn", "b", "b drawn"]);
});

it("lets others have their turn between long jobs", async () => {
  const done: string[] = [];
  setTimeout(() => done.push("timer"));
  await inTurns(["a", "b", "c"].map((name) => () => {
    busy(20);
    done.push(name);
  }));
  expect(done.indexOf("timer")).toBeLessThan(done.indexOf("c"));
});
