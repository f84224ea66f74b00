import { expect, it } from "vitest";
import { textStart } from "./http";

function stream(chunks: string[]) {
  const asked: number[] = [];
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = chunks[asked.length];
      asked.push(asked.length);
      if (next === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(next));
    },
    cancel() {
      cancelled = true;
    },
  }, { highWaterMark: 0 });
  return { body, asked, cancelled: () => cancelled };
}

it("reads a short text to its end", async () => {
  const { body, cancelled } = stream(["ab", "cü"]);
  expect(await textStart(body, 100)).toBe("abcü");
  expect(cancelled()).toBe(false);
});

it("stops after the wished bytes and fetches no more", async () => {
  const { body, asked, cancelled } = stream(["abc", "dé", "never", "never"]);
  expect(await textStart(body, 5)).toBe("abcd");
  expect(asked).toHaveLength(2);
  expect(cancelled()).toBe(true);
});
