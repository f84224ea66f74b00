import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { expect, it } from "vitest";
import { refetch } from "./refetch";

it("asks again what was under way when something changed", async () => {
  const client = new QueryClient();
  const answers: ((value: string) => void)[] = [];
  const queryFn = () => new Promise<string>((resolve) => answers.push(resolve));
  const off = new QueryObserver(client, { queryKey: ["run", "a"], queryFn }).subscribe(() => {});
  const others = new QueryObserver(client, { queryKey: ["models"], queryFn: () => Promise.resolve("m") }).subscribe(() => {});
  expect(answers).toHaveLength(1);
  const done = refetch(client, ["run"]);
  expect(answers).toHaveLength(1); // it is not broken off
  answers[0]!("before");
  while (answers.length < 2) await new Promise((resolve) => setTimeout(resolve));
  answers[1]!("after");
  await done;
  expect(client.getQueryData(["run", "a"])).toBe("after");
  const again = refetch(client, ["run"]);
  expect(answers).toHaveLength(3);
  answers[2]!("at rest");
  await again;
  expect(answers).toHaveLength(3); // nothing was under way: once is enough
  off();
  others();
});
