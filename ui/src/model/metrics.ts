/** What a metric's name says about it. */

import { ASIDE, DURATION, EVALUATION, fits, HIGHER, LOSS, LOWER, PERPLEXITY, PLAIN_LOSS, SOME_LOSS, THROUGHPUT, USE, USED_WELL } from "./names";

export const isLoss = (key: string) => fits(LOSS, key);
export const isEval = (key: string) => fits(EVALUATION, key);
export const isSystem = (key: string) => key.startsWith("system/");

/** Whether a lower value is the better one, as the name tells; null where it does not. */
export function directionOfName(key: string): boolean | null {
  if (THROUGHPUT.test(key) || USED_WELL.test(key)) return false;
  return fits(LOWER, key) ? true : fits(HIGHER, key) ? false : null;
}

/** True when a lower value is the better one; unknown names count as lower, as losses do. */
export const lowerIsBetter = (key: string) => directionOfName(key) ?? true;

/** True when the name itself says which way is better. */
export const hasDirection = (key: string) => directionOfName(key) !== null;

/** A speed, a duration or the use of a machine: it says nothing of the model. */
const isMeasured = (key: string) => THROUGHPUT.test(key) || DURATION.test(key) || USE.test(key);

export interface KeyCount {
  key: string;
  runs: number;
}

/** The metric that answers "which run was best": an eval loss that most runs have, else any eval, loss or first metric. */
export function pickMain(metrics: readonly KeyCount[]): string | null {
  const rank = ({ key, runs }: KeyCount) => {
    const kind = isSystem(key) || isMeasured(key) ? 0 : isEval(key) && isLoss(key) ? 5 : isEval(key) && hasDirection(key) ? 4 : isLoss(key) ? 3 : hasDirection(key) ? 2 : 1;
    const plain = (PLAIN_LOSS.test(key) ? 0.75 : SOME_LOSS.test(key) ? 0.5 : 0.25) - (ASIDE.test(key) ? 0.5 : 0);
    return [kind + (kind > 2 ? plain : 0), runs] as const;
  };
  const known = metrics.filter((m) => !isSystem(m.key));
  const most = Math.max(0, ...known.map((m) => m.runs));
  const wide = known.filter((m) => m.runs >= most * 0.5);
  const sorted = [...wide].sort((a, b) => rank(b)[0] - rank(a)[0] || b.runs - a.runs || a.key.localeCompare(b.key));
  return sorted[0]?.key ?? metrics[0]?.key ?? null;
}

/** The loss that is watched for spikes while training: the train loss, else the main one if that is a loss. */
export function pickTrainLoss(metrics: readonly KeyCount[]): string | null {
  const losses = metrics.filter((m) => isLoss(m.key) && !isSystem(m.key) && !PERPLEXITY.test(m.key));
  const train = losses.filter((m) => !isEval(m.key));
  const exact = (list: KeyCount[]) => [...list].sort((a, b) => b.runs - a.runs || a.key.length - b.key.length)[0]?.key ?? null;
  return exact(train.filter((m) => /^(train(ing)?[/_.])?loss$/i.test(m.key))) ?? exact(train) ?? exact(losses);
}

/** The eval loss that is watched beside a train loss; a perplexity only where there is no other. */
export function pickEvalLoss(metrics: readonly Pick<KeyCount, "key">[], loss: string | null): string | null {
  const losses = metrics.filter((m) => isEval(m.key) && isLoss(m.key) && m.key !== loss);
  return (losses.find((m) => !PERPLEXITY.test(m.key)) ?? losses[0])?.key ?? null;
}

/** "train/loss" is "train/" and "loss"; a key without a slash has no namespace. */
export function splitKey(key: string): [namespace: string, name: string] {
  const at = key.indexOf("/");
  return at < 0 ? ["", key] : [key.slice(0, at + 1), key.slice(at + 1)];
}

const OTHERS = 3;

function sectionRank(namespace: string, keys: string[]): number {
  if (namespace === "system/") return 9;
  if (namespace === ALONE) return OTHERS + 1;
  if (isEval(namespace)) return 1;
  if (/^train/.test(namespace)) return 2;
  if (namespace === "" && keys.some(isLoss)) return 0;
  return OTHERS;
}

/** Namespaces of one metric each are one section where there are more of them than this: a network has hundreds of layers. */
const MOST_ALONE = 3;
/** The namespace of that section; no key has it. */
export const ALONE = "/";

/** Metric keys by namespace, in the order of use: losses, eval, train, others, system last. */
export function sections(keys: readonly string[]): { namespace: string; keys: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const [namespace] = splitKey(key);
    groups.set(namespace, [...(groups.get(namespace) ?? []), key]);
  }
  const alone = [...groups].filter(([namespace, list]) => list.length === 1 && sectionRank(namespace, list) === OTHERS);
  if (alone.length > MOST_ALONE) {
    for (const [namespace] of alone) groups.delete(namespace);
    groups.set(ALONE, alone.flatMap(([, list]) => list));
  }
  const byUse = (a: string, b: string) => Number(isLoss(b)) - Number(isLoss(a)) || a.localeCompare(b, undefined, { numeric: true });
  return [...groups]
    .map(([namespace, list]) => ({ namespace, keys: list.sort(byUse) }))
    .sort((a, b) => sectionRank(a.namespace, a.keys) - sectionRank(b.namespace, b.keys) || a.namespace.localeCompare(b.namespace));
}

/** Matches a chart search: words must all occur; "*" and "?" are wildcards and then the whole key must match. */
export function matchesGlob(key: string, search: string): boolean {
  const text = search.trim().toLowerCase();
  if (!text) return true;
  const name = key.toLowerCase();
  if (!/[*?]/.test(text)) return text.split(/\s+/).every((word) => name.includes(word));
  return glob(name, text);
}

// Two pointers and one step back: linear in practice, and no user text ever becomes a regular expression.
function glob(name: string, pattern: string): boolean {
  let [n, p, star, mark] = [0, 0, -1, 0];
  while (n < name.length) {
    if (p < pattern.length && (pattern[p] === "?" || pattern[p] === name[n])) [n, p] = [n + 1, p + 1];
    else if (p < pattern.length && pattern[p] === "*") [star, mark, p] = [p, n, p + 1];
    else if (star >= 0) [p, mark, n] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
