import { expect, it } from "vitest";
import { allSteps, judged, placeAt, quantile, readConfusion, readCurves, readHistogram } from "./media";

it("reads a confusion matrix and says what was mistaken most", () => {
  const found = readConfusion('{"type": "confusion-matrix", "labels": ["cat", 1], "matrix": [[3, 1], [4, 2]]}');
  expect(found).toEqual({ labels: ["cat", "1"], matrix: [[3, 1], [4, 2]] });
  expect(judged(found!, 1)).toEqual({ right: 5, total: 10, mistakes: [{ actual: "1", predicted: "cat", count: 4, share: 4 / 6 }] });
});

it("refuses what is no confusion matrix", () => {
  for (const text of ["", "[]", "null", '{"labels": ["a"], "matrix": [[1]]}', '{"type": "confusion-matrix", "labels": ["a"], "matrix": [[1, 2]]}', '{"type": "confusion-matrix", "labels": ["a", "b"], "matrix": [[1, 2], null]}', '{"type": "confusion-matrix", "labels": ["a"], "matrix": [["x"]]}'])
    expect(readConfusion(text), text).toBeNull();
});

it("reads curves of both kinds", () => {
  const pr = '{"type": "pr-curve", "curves": [{"label": "b", "precision": [1, 0.5], "recall": [0.5, 1], "average_precision": 0.75, "positives": 2, "total": 4}]}';
  expect(readCurves(pr)).toEqual({ type: "pr-curve", curves: [{ label: "b", x: [0.5, 1], y: [1, 0.5], area: 0.75, positives: 2, total: 4 }] });
  expect(readCurves('{"type": "roc-curve", "curves": [{"fpr": [0, 1], "tpr": [0, 1], "auc": null}]}')!.curves[0]).toEqual({ label: "", x: [0, 1], y: [0, 1], area: null, positives: 0, total: 0 });
  for (const text of ['{"type": "pr-curve", "curves": []}', '{"type": "pr-curve", "curves": [null]}', '{"type": "roc-curve", "curves": [{"fpr": [0], "tpr": [0, 1]}]}']) expect(readCurves(text), text).toBeNull();
});

it("reads a histogram of a file and its quantiles", () => {
  const found = readHistogram('{"edges": [0, 1, 2, 4], "counts": [2, 0, 2], "nan": 1, "infinite": 0}', 5)!;
  expect(found).toEqual({ step: 5, edges: [0, 1, 2, 4], counts: [2, 0, 2], nan: 1, infinite: 0 });
  expect([0.25, 0.5, 0.75, 1].map((share) => quantile(found, share))).toEqual([0.5, 1, 3, 4]);
  expect(quantile({ edges: [0, 1], counts: [0] }, 0.5)).toBeNull();
  expect(readHistogram('{"edges": [0, 1], "counts": [1, 2]}', 0)).toBeNull();
});

it("finds what is shown at a step", () => {
  const steps = [0, 10, 20];
  expect([null, -5, 0, 9, 10, 99].map((step) => placeAt(steps, step))).toEqual([2, 0, 0, 0, 1, 2]);
  expect(allSteps([{ steps: [3, 10] }, { steps: [2, 10] }])).toEqual([2, 3, 10]);
});
