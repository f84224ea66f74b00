import { describe, expect, it } from "vitest";
import { ALONE, lowerIsBetter, matchesGlob, pickMain, pickTrainLoss, sections, splitKey } from "./metrics";

const m = (key: string, runs = 10) => ({ key, runs });

it.each([["eval/loss", true], ["val/acc", false], ["accuracy", false], ["val_perplexity", true], ["mean_reward", false], ["rmse", true], ["foo", true], ["f1", false], ["test/f1@10", false], ["map_error", true]])(
  "direction of %s", (key, lower) => expect(lowerIsBetter(key)).toBe(lower));

describe("main metric", () => {
  it("prefers the eval loss", () => expect(pickMain([m("train/loss"), m("eval/perplexity"), m("eval/loss"), m("system/x", 99)])).toBe("eval/loss"));
  it("leaves aside what is no curve of the run", () => {
    expect(pickMain([m("base_eval_loss"), m("final_eval_loss"), m("eval/perplexity"), m("eval/loss")])).toBe("eval/loss");
    expect(pickMain([m("val/best_loss"), m("val/moe_loss"), m("val/loss")])).toBe("val/loss");
  });
  it("wants one that most runs have", () => expect(pickMain([m("eval/loss", 1), m("train/loss", 10)])).toBe("train/loss"));
  it("takes what there is", () => {
    expect(pickMain([m("foo")])).toBe("foo");
    expect(pickMain([])).toBeNull();
  });
  it("finds the train loss", () => {
    expect(pickTrainLoss([m("eval/loss"), m("train/aux_loss"), m("train/loss")])).toBe("train/loss");
    expect(pickTrainLoss([m("eval/loss")])).toBe("eval/loss");
    expect(pickTrainLoss([m("acc")])).toBeNull();
  });
});

it("orders sections by use", () => {
  expect(sections(["system/gpu", "zeta/a", "train/lr", "train/loss", "eval/loss"]).map((s) => s.namespace)).toEqual(["eval/", "train/", "zeta/", "system/"]);
  const layers = Array.from({ length: 5 }, (_, i) => `layer_${i}/norm`);
  expect(sections([...layers, "zeta/a", "zeta/b", "train/a", "system/cpu"])).toMatchObject([{ namespace: "train/" }, { namespace: "zeta/" }, { namespace: ALONE, keys: layers }, { namespace: "system/" }]);
  expect(sections(["train/a", "train/loss"])[0]?.keys).toEqual(["train/loss", "train/a"]);
  expect(splitKey("a/b/c")).toEqual(["a/", "b/c"]);
});

it.each([["train/loss", "train/*", true], ["eval/loss", "train/*", false], ["train/loss", "lo tr", true], ["a", "?", true], ["ab", "*a", false], ["aXbXc", "a*c", true], ["x", "", true]])(
  "glob %s ~ %s", (key, search, hit) => expect(matchesGlob(key, search)).toBe(hit));
