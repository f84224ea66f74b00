import type { verdictEn } from "./verdictEn";

export const verdictDe: typeof verdictEn = {
  stable: "Stabil", diverged: "Divergiert", unstable: "Instabil", overfitting: "Überangepasst", stalled: "Stillstand", short: "Zu kurz", unknown: "Unbekannt",
  stableText: "Kein Ausschlag, kein NaN oder Inf", shortText: (c) => (c === "1" ? "Ein Punkt ist zu wenig für ein Urteil" : `${c} Punkte sind zu wenig für ein Urteil`), noLoss: "Kein Loss aufgezeichnet",
  foundNotFinite: (key, from) => `NaN oder Inf in ${key} bei Schritt ${from}`,
  foundDiverged: (key, from, value, usual) => `${key} stieg ab Schritt ${from} auf ${value}, Bestwert ${usual}`,
  foundSpike: (key, from, value, usual) => `Ausschlag von ${key} bei Schritt ${from}: ${value} statt ${usual}`,
  foundGradient: (key, from, value, usual) => `${key} explodierte bei Schritt ${from}: ${value} statt ${usual}`,
  foundRate: (key, from, value, usual) => `${key} sprang bei Schritt ${from} von ${usual} auf ${value}`,
  foundGap: (key, from, value, usual) => `${key} am besten bei Schritt ${from} (${usual}), endet bei ${value}`,
  foundPlateau: (key, from) => `${key} fällt seit Schritt ${from} nicht mehr`,
  foundThroughput: (key, from, value, usual) => `${key} fiel bei Schritt ${from} von ${usual} auf ${value}`,
  foundIdle: (key, minutes) => `${key} ${minutes} Min. lang nahe 0`,
  hole: (key, from, to) => `; ${key} hat eine Lücke von Schritt ${from} bis ${to}`,
  backAt: (to) => `, zurück bei Schritt ${to}`, notBack: ", nicht zurück", moreTimes: (c) => `, ${c} insgesamt`,
  judgedOf: (known, all) => `${known} beurteilten (von ${all})`, noneJudged: "noch nicht beurteilt",
  unstableOf: (a, b) => `${a} von ${b} divergiert oder instabil`, noneUnstable: (b) => `keiner von ${b} divergiert oder instabil`, showThese: "Genau diese Runs zeigen",
  stability: "Stabilität", lossSpikes: "Ausschläge im Loss", nanOrInf: "NaN oder Inf", course: "Verlauf", none: "keine", ofPoints: (c) => `in ${c} Punkten`, noFinding: "fällt", learningRate: "Lernrate", gradNorm: "Gradientennorm", evalGap: "Bestes Eval", throughput: "Durchsatz", gpu: "GPU", lostRecords: "Einträge",
};
