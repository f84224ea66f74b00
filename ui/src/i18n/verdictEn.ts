/** Words of the verdict on a run's stability. Figures come as texts; `from` and `to` are steps. */
export const verdictEn = {
  stable: "Stable", diverged: "Diverged", unstable: "Unstable", overfitting: "Overfitting", stalled: "Stalled", short: "Too short", unknown: "Not known",
  stableText: "No spike, no NaN or Inf", shortText: (c: string) => `${c} ${c === "1" ? "point is" : "points are"} too few to tell`, noLoss: "No loss has been logged",
  foundNotFinite: (key: string, from: string) => `NaN or Inf in ${key} at step ${from}`,
  foundDiverged: (key: string, from: string, value: string, usual: string) => `${key} rose from step ${from} to ${value}, best ${usual}`,
  foundSpike: (key: string, from: string, value: string, usual: string) => `Spike of ${key} at step ${from}: ${value} instead of ${usual}`,
  foundGradient: (key: string, from: string, value: string, usual: string) => `${key} exploded at step ${from}: ${value} instead of ${usual}`,
  foundRate: (key: string, from: string, value: string, usual: string) => `${key} jumped at step ${from} from ${usual} to ${value}`,
  foundGap: (key: string, from: string, value: string, usual: string) => `${key} was best at step ${from} (${usual}), ends at ${value}`,
  foundPlateau: (key: string, from: string) => `${key} has not fallen since step ${from}`,
  foundThroughput: (key: string, from: string, value: string, usual: string) => `${key} fell at step ${from} from ${usual} to ${value}`,
  foundIdle: (key: string, minutes: string) => `${key} near 0 for ${minutes} min`,
  hole: (key: string, from: string, to: string) => `; ${key} has a hole from step ${from} to ${to}`,
  backAt: (to: string) => `, back at step ${to}`, notBack: ", not back", moreTimes: (c: string) => `, ${c} in all`,
  judgedOf: (known: string, all: string) => `${known} judged (${all} in all)`, noneJudged: "not judged yet",
  unstableOf: (a: string, b: string) => `${a} of ${b} diverged or unstable`, noneUnstable: (b: string) => `none of ${b} diverged or unstable`, showThese: "Show exactly these runs",
  stability: "Stability", lossSpikes: "Loss spikes", nanOrInf: "NaN or Inf", course: "Course", none: "none", ofPoints: (c: string) => `in ${c} points`, noFinding: "falls", learningRate: "Learning rate", gradNorm: "Gradient norm", evalGap: "Best eval", throughput: "Throughput", gpu: "GPU", lostRecords: "Records",
};
