import { describe, expect, it } from "vitest";
import type { Columns } from "../api/table";
import { conditionsOf, addCondition, complete, equals, isPlain, quoteKey, toFilter, tokens, unfinished, unknownKeys } from "./filter";

const columns: Columns = {
  runs: 4,
  metrics: [{ key: "eval/loss", runs: 4 }, { key: "lr", runs: 4 }],
  params: [{ key: "lora_rank", runs: 4, distinct: 2, values: ["8", "16"] }, { key: "lora_alpha", runs: 4, distinct: 1, values: ["32"] }],
  tags: [{ key: "phase", runs: 2, distinct: 1, values: ["sweep"] }],
};
const labels = (text: string) => complete(text, text.length, columns).items.map((i) => i.label);
const apply = (text: string) => {
  const found = complete(text, text.length, columns);
  return text.slice(0, found.from) + found.items[0]!.insert + text.slice(found.to);
};

describe("what is sent", () => {
  it("turns words into name searches", () => {
    expect(toFilter(" lora  s2 ")).toBe("attributes.run_name ILIKE '%lora%' AND attributes.run_name ILIKE '%s2%'");
    expect(toFilter("it's")).toBe(`attributes.run_name ILIKE "%it's%"`);
  });
  it("leaves expressions alone", () => expect(toFilter("params.a = '1'")).toBe("params.a = '1'"));
  it("tells them apart", () => {
    expect(isPlain("android index")).toBe(true);
    expect(isPlain("a and b")).toBe(false);
    for (const half of ["params.learning_r", "metrics.", "lora tags.ph", "attr.run_name", "datasets.name", "Param.x"]) expect(isPlain(half)).toBe(false);
    expect(isPlain("lr0.001 run2.5")).toBe(true);
  });
  it("adds conditions", () => {
    expect(addCondition("", "a = 1")).toBe("a = 1");
    expect(addCondition("x", "a = 1")).toBe("attributes.run_name ILIKE '%x%' AND a = 1");
    expect(addCondition("a = 1 or b = 2", "c = 3")).toBe("(a = 1 or b = 2) AND c = 3");
    expect(addCondition("a = 'x OR y'", "c = 3")).toBe("a = 'x OR y' AND c = 3");
    expect(addCondition("a = 1", "")).toBe("a = 1");
    expect(equals("params.a b", "1")).toBe("params.`a b` = '1'");
    expect(quoteKey("eval/loss")).toBe("`eval/loss`");
  });
});

describe("half-typed filters", () => {
  it.each([
    ["params.", "key"], ["params.learning_r", "operator"], ["params.lr = '1' AND par", "operator"], ["params.lr =", "value"], ["params.lr LIKE", "value"], ["params.lr IN", "value"],
    ["params.lr = '1", "quote"], ["metrics.`eval/lo", "quote"], ["params.lr = '1' AND", "condition"], ["tags.a IS NOT", "value"], ["(params.lr = '1'", "parenthesis"], ["params.lr IN ('1'", "parenthesis"],
  ])("%s lacks a %s", (text, lacks) => {
    expect(unfinished(text)?.lacks).toBe(lacks);
    expect(toFilter(text)).toBe("");
  });
  it.each(["params.lr = '1'", "metrics.`eval/loss` <= 0.4", "tags.a IS NULL", "tags.a IS NOT NULL", "params.lr IN ('1', '2')", "(params.lr = '1') OR params.lr > 2", "NOT params.lr = '1'", "lora s2", "", "params.x = 'it (is'"])(
    "%s is whole", (text) => expect(unfinished(text)).toBeNull());
});

describe("keys that no run has", () => {
  it("names the one that was meant", () => {
    expect(unknownKeys("params.lora_rnak = '8'", columns)).toEqual([{ key: "lora_rnak", from: 7, to: 16, near: "lora_rank" }]);
    expect(unknownKeys("metrics.`eval/los` < 1 AND tags.zzz = 'params.nothing = 1'", columns)).toEqual([{ key: "eval/los", from: 8, to: 18, near: "eval/loss" }, { key: "zzz", from: 32, to: 35, near: null }]);
  });
  it("is content with known ones", () => {
    expect(unknownKeys("params.lora_rank = '8' AND metrics.`eval/loss` < 1", columns)).toEqual([]);
    expect(unknownKeys("attributes.status = 'x'", columns)).toEqual([]);
    expect(unknownKeys("lora", columns)).toEqual([]);
  });
});

describe("completion", () => {
  it("offers keys", () => {
    expect(labels("lora")).toEqual(["params.lora_rank", "params.lora_alpha"]);
    expect(labels("params.lora_a")).toEqual(["params.lora_alpha"]);
    expect(labels("loss")).toEqual(["metrics.eval/loss"]);
  });
  it("writes them in backticks where needed", () => expect(apply("eval")).toBe("metrics.`eval/loss` "));
  it("offers operators after a key", () => {
    expect(labels("metrics.`eval/loss` ")).toContain("<=");
    expect(labels("params.lora_rank ")).toContain("LIKE");
    expect(labels("params.lora_rank i")).toEqual(["ILIKE", "IS NULL", "IS NOT NULL"]);
  });
  it("offers values after an operator", () => {
    expect(labels("params.lora_rank = ")).toEqual(["8", "16"]);
    expect(apply("params.lora_rank = '1")).toBe("params.lora_rank = '16' ");
    expect(labels("attributes.status = 'F")).toEqual(["FINISHED", "FAILED"]);
  });
  it("compares numeric parameters by size", () => {
    expect(labels("params.lora_rank ")).toContain(">");
    expect(labels("tags.phase ")).not.toContain(">");
    expect(apply("params.lora_rank > ")).toBe("params.lora_rank > 8 ");
    expect(labels("metrics.lr < 1 AND lora_r")).toEqual(["params.lora_rank"]);
  });
  it("joins conditions", () => expect(labels("params.lora_rank = '8' ")).toEqual(["AND", "OR"]));
  it("goes on after a joint", () => expect(labels("params.lora_rank = '8' AND pha")).toEqual(["tags.phase", "params.lora_alpha"]));
});

it("splits without losing a character", () => {
  const text = "metrics.`eval/loss` <= 0.4 AND (tags.a LIKE '%x y%' OR \"open";
  expect(tokens(text).map((t) => t.text).join("")).toBe(text);
  expect(tokens(text)[0]).toEqual({ text: "metrics.", kind: "namespace" });
});

describe("conditions", () => {
  it.each([
    ["a = 1 AND b = 'x AND y' AND c IN (1, 2)", ["a = 1", "b = 'x AND y'", "c IN (1, 2)"]],
    ["(a = 1 AND b = 2) AND c = 3", ["(a = 1 AND b = 2)", "c = 3"]],
    ["a BETWEEN 1 AND 2 AND b = 3", ["a BETWEEN 1 AND 2", "b = 3"]],
    ["a = 1 OR b = 2 AND c = 3", ["a = 1 OR b = 2 AND c = 3"]],
    ["", []],
  ])("%s", (text, parts) => expect(conditionsOf(text)).toEqual(parts));
});
