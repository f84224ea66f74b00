import type { mediaEn } from "./mediaEn";

const n = (count: number, one: string, many: string) => `${count.toLocaleString("de")} ${count === 1 ? one : many}`;

export const mediaDe: typeof mediaEn = {
  printPage: "Drucken", media: "Medien", noMedia: "Noch keine Medien", noMediaHint: "Bilder, Töne, Histogramme, Konfusionsmatrizen und Kurven erscheinen hier von selbst:", searchMedia: "Medien suchen", noMediaMatches: "Keine Medien passen",
  kindOf: { image: "Bilder", audio: "Töne", histogram: "Histogramme", "confusion-matrix": "Konfusionsmatrizen", "pr-curve": "Precision über Recall", "roc-curve": "Richtig über falsch Positive" },
  allStepsOf: "Schritt aller Medien", latestStep: "Neuester Schritt", nSeries: (c) => n(c, "Reihe", "Reihen"), atStepOf: (s, c) => c > 1 ? `Schritt ${s}, insgesamt ${n(c, "Schritt", "Schritte")}` : `Schritt ${s}`,
  values1: "Werte", count1: "Anzahl", medianOf: (v) => `Median ${v}`, middleHalf: (a, b) => `mittlere Hälfte ${a} bis ${b}`, spanOf: (a, b) => `${a} bis ${b}`, nanCount: (c) => `${c} NaN`, infCount: (c) => `${c} unendlich`,
  histogramSummary: (k, s, c) => `${k} bei Schritt ${s}: ${c} Werte`, overSteps: (a, b) => `über Schritte ${a} bis ${b}`, evenChoice: (a, b) => `${a} von ${b} Schritten`,
  trueClass: "wahr", predictedClass: "vorhergesagt", accuracyOf: (p, a, b) => `${p} richtig, ${a} von ${b}`, asShares: "Anteile an der wahren Klasse", mostMistaken: "Am meisten verwechselt", takenFor: (a, b) => `${a} für ${b} gehalten`, nothingMistaken: "Nichts wurde verwechselt", matrixSummary: (c) => `Konfusionsmatrix über ${n(c, "Klasse", "Klassen")}`,
  precision: "Precision", recall: "Recall", truePositives: "richtig Positive", falsePositives: "falsch Positive", averagePrecision: "AP", areaUnder: "AUC", positivesOf: (a, b) => `${a} von ${b} positiv`, notThisFormat: "Diese Datei hat nicht das Format, das ihr Name sagt.", showFile: "In den Artefakten zeigen", enlarge: "Vergrößern", moreClasses: (c) => n(c, "weitere Klasse", "weitere Klassen"),
  modelTab: "Modell", noModelsMade: "Noch kein Modell geloggt", noModelsMadeText: "Ein Training loggt sein Modell mit einer Zeile:", signature: "Signatur", noSignature: "Ohne Signatur geloggt", modelInputs: "Eingaben", modelOutputs: "Ausgaben", optional: "optional", address1: "Adresse", modelsMade: "Modelle", modelsUsed: "Benutzte Modelle", registeredAs: (v) => `Version ${v}`, serveIt: "Befehl zum Bereitstellen", modelPending: "wird hochgeladen", modelFailed: "Hochladen fehlgeschlagen",
};
