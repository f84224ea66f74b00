import { describe, expect, it } from "vitest";
import { changeOf, criterionOf, directionOf, mainOf, readingOf } from "./criterion";

describe("what an experiment is judged by", () => {
  it("takes the direction of the tags, then of MLflow's, then of the name", () => {
    const main = { "mlflow.experiment.primaryMetric.name": "loss", "mlflow.experiment.primaryMetric.greaterIsBetter": "True" };
    expect([directionOf("loss", {}), directionOf("acc", {}), directionOf("thing", {})]).toEqual([true, false, null]);
    expect([directionOf("loss", main), directionOf("train/loss", main)]).toEqual([false, true]);
    expect(directionOf("loss", { ...main, "logbuch.direction.loss": "lower" })).toBe(true);
    expect(directionOf("loss", { "logbuch.direction.loss": "sideways" })).toBe(true);
    expect([directionOf("thing", { "logbuch.direction.thing": "Higher" }), directionOf("thing", { "logbuch.direction.thing": "sideways" })]).toEqual([false, null]);
  });
  it("takes what several experiments agree on", () => {
    const [up, down] = [{ "logbuch.direction.thing": "higher" }, { "logbuch.direction.thing": "lower", "mlflow.experiment.primaryMetric.name": "thing" }];
    const [one, agreed, split] = [criterionOf([up]), criterionOf([up, {}, up]), criterionOf([up, down])];
    expect([one.lower("thing"), agreed.lower("thing"), split.lower("thing"), criterionOf([]).lower("acc")]).toEqual([false, false, true, false]);
    expect([one.directed("thing"), split.directed("thing"), split.directed("loss")]).toEqual([true, false, true]);
    expect([one.main, split.main]).toEqual([null, "thing"]);
  });
  it("reads the last value unless a reading is kept", () =>
    expect([readingOf("a", {}), readingOf("a", { "logbuch.reading.a": "Best" }), readingOf("a", { "logbuch.reading.a": "worst" })]).toEqual(["last", "best", "last"]));
  it("judges by the value that is kept", () => {
    const [kept, loss] = [{ "logbuch.reading.acc": "best" }, { "logbuch.reading.loss": "smoothed" }];
    expect([criterionOf([kept]).part("acc"), criterionOf([loss, loss]).part("loss"), criterionOf([kept, {}]).part("acc"), criterionOf([]).part("acc")]).toEqual(["max", "min", "last", "last"]);
  });
  it("takes the main metric that is kept, if it is logged", () => {
    const metrics = [{ key: "eval/loss", runs: 2 }, { key: "quality", runs: 1 }];
    const main = (key: string) => mainOf(metrics, { "mlflow.experiment.primaryMetric.name": key });
    expect([main("quality"), main("gone"), mainOf(metrics, {}), mainOf([], {})]).toEqual(["quality", "eval/loss", "eval/loss", null]);
  });
  it("tells better, worse and noise", () => {
    expect(changeOf(0.9, 1, true)).toMatchObject({ better: true, noise: false });
    expect(changeOf(0.9, 1, false)).toMatchObject({ better: false, noise: false });
    expect([changeOf(0.9, 1, null), changeOf(1.1, 1, null)].map((change) => change?.better)).toEqual([false, false]);
    expect(changeOf(1.001, 1, true)).toMatchObject({ better: false, noise: true });
    expect(changeOf(-1, -2, false)?.ratio).toBe(0.5);
    expect([changeOf(null, 1, true), changeOf(1, 0, true), changeOf(Infinity, 1, true), changeOf(1, NaN, true)]).toEqual([null, null, null, null]);
  });
});
