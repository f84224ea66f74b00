const n = (count: number, one: string, many: string) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** Words of pictures, sounds, histograms and curves, and of the models that a run made. */
export const mediaEn = {
  printPage: "Print", media: "Media", noMedia: "No media have been logged", noMediaHint: "Pictures, sounds, histograms, confusion matrices and curves appear here by themselves:", searchMedia: "Search media", noMediaMatches: "No media match",
  kindOf: { image: "Pictures", audio: "Sounds", histogram: "Histograms", "confusion-matrix": "Confusion matrices", "pr-curve": "Precision over recall", "roc-curve": "True over false positives" },
  allStepsOf: "Step of all media", latestStep: "Latest step", nSeries: (c: number) => n(c, "series", "series"), atStepOf: (s: string, c: number) => c > 1 ? `step ${s}, ${n(c, "step", "steps")} in all` : `step ${s}`,
  values1: "Values", count1: "Count", medianOf: (v: string) => `median ${v}`, middleHalf: (a: string, b: string) => `middle half ${a} to ${b}`, spanOf: (a: string, b: string) => `${a} to ${b}`, nanCount: (c: string) => `${c} NaN`, infCount: (c: string) => `${c} infinite`,
  histogramSummary: (k: string, s: string, c: string) => `${k} at step ${s}: ${c} values`, overSteps: (a: string, b: string) => `over steps ${a} to ${b}`, evenChoice: (a: string, b: string) => `${a} of ${b} steps`,
  trueClass: "true", predictedClass: "predicted", accuracyOf: (p: string, a: string, b: string) => `${p} right, ${a} of ${b}`, asShares: "Shares of the true class", mostMistaken: "Most mistaken", takenFor: (a: string, b: string) => `${a} taken for ${b}`, nothingMistaken: "Nothing was mistaken", matrixSummary: (c: number) => `Confusion matrix of ${n(c, "class", "classes")}`,
  precision: "precision", recall: "recall", truePositives: "true positives", falsePositives: "false positives", averagePrecision: "AP", areaUnder: "AUC", positivesOf: (a: string, b: string) => `${a} of ${b} positive`, notThisFormat: "This file is not in the format that its name says.", showFile: "Show in artifacts", enlarge: "Enlarge", moreClasses: (c: number) => n(c, "more class", "more classes"),
  modelsMade: "Models", modelsUsed: "Used models", registeredAs: (v: string) => `version ${v}`, serveIt: "Serve command", modelPending: "being uploaded", modelFailed: "upload failed",
};
