import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Pacer } from "./pacer";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("folds pokes and keeps one job at a time", async () => {
  let running = 0;
  let most = 0;
  let jobs = 0;
  const pacer = new Pacer(async () => {
    jobs++;
    most = Math.max(most, ++running);
    await new Promise((done) => setTimeout(done, 50));
    running--;
  }, 500);
  for (let i = 0; i < 20; i++) {
    pacer.poke();
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(jobs).toBe(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(jobs).toBe(2);
  expect(most).toBe(1);
});

it("goes on after a failure and stops for good", async () => {
  let jobs = 0;
  const pacer = new Pacer(() => {
    jobs++;
    return Promise.reject(new Error("down"));
  }, 10);
  pacer.poke();
  await vi.advanceTimersByTimeAsync(100);
  pacer.poke();
  await vi.advanceTimersByTimeAsync(100);
  expect(jobs).toBe(2);
  pacer.stop();
  pacer.poke();
  await vi.advanceTimersByTimeAsync(100);
  expect(jobs).toBe(2);
});
