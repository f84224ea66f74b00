import type { Columns } from "../api/table";

/** The search field: what is typed, what is sent, and what is offered under the caret. */

const OPERATOR = /[=<>!()]|\b(i?like|in|not|is|null|and|or|between)\b/i;

const quote = (text: string) => (text.includes("'") ? `"${text.replaceAll('"', "")}"` : `'${text}'`);

/** True for words without any operator: they search names. */
export const isPlain = (text: string) => !OPERATOR.test(text);

/** The filter that is sent: plain words become name searches, everything else goes as it is. */
export function toFilter(text: string): string {
  const trimmed = text.trim();
  if (!trimmed || !isPlain(trimmed)) return trimmed;
  return trimmed.split(/\s+/).map((word) => `attributes.run_name ILIKE ${quote(`%${word}%`)}`).join(" AND ");
}

/** A key as the search language wants it: backticks where it is no plain word. */
export const quoteKey = (key: string) => (/^[A-Za-z_][\w]*$/.test(key) ? key : `\`${key}\``);

/** Adds a condition to a filter; a plain search becomes conditions first. */
export function addCondition(text: string, condition: string): string {
  const filter = toFilter(text);
  return filter ? `${filter} AND ${condition}` : condition;
}

/** The condition that a value of a column equals what is shown. */
export function equals(column: string, value: string): string {
  const [kind, key] = splitColumn(column);
  return kind === "metrics" ? `metrics.${quoteKey(key)} = ${value}` : `${kind}.${quoteKey(key)} = ${quote(value)}`;
}

/** "params.lora.rank" is "params" and "lora.rank". */
export function splitColumn(column: string): [kind: string, key: string] {
  const at = column.indexOf(".");
  return [column.slice(0, at), column.slice(at + 1)];
}

export interface Completion {
  insert: string;
  label: string;
  kind: "namespace" | "metric" | "param" | "tag" | "attribute" | "operator" | "value";
  /** How many runs have the key, and how many values it has; absent for words of the language. */
  runs?: number;
  distinct?: number;
}
export interface Completions {
  from: number;
  to: number;
  items: Completion[];
}

const ATTRIBUTES = ["run_name", "status", "start_time", "end_time", "user_id", "run_id"];
const STATUSES = ["FINISHED", "RUNNING", "FAILED", "KILLED", "SCHEDULED"];
const NUMBER_OPS = ["<", "<=", ">", ">=", "=", "!="];
const TEXT_OPS = ["=", "!=", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL"];
const KEY = /(metrics?|params?|parameters?|tags?|attributes?|attr|run)\.(`[^`]*`|"[^"]*"|[\w./-]+)\s*$/i;

const bare = (key: string) => key.replace(/^[`"]|[`"]$/g, "");

function keyItems(columns: Columns): Completion[] {
  return [
    ...columns.metrics.map((m) => ({ insert: `metrics.${quoteKey(m.key)} `, label: `metrics.${m.key}`, kind: "metric" as const, runs: m.runs })),
    ...columns.params.map((p) => ({ insert: `params.${quoteKey(p.key)} `, label: `params.${p.key}`, kind: "param" as const, runs: p.runs, distinct: p.distinct })),
    ...columns.tags.map((t) => ({ insert: `tags.${quoteKey(t.key)} `, label: `tags.${t.key}`, kind: "tag" as const, runs: t.runs, distinct: t.distinct })),
    ...ATTRIBUTES.map((a) => ({ insert: `attributes.${a} `, label: `attributes.${a}`, kind: "attribute" as const })),
  ];
}

function valuesOf(kind: string, key: string, columns: Columns): string[] {
  if (/^attr|^run/i.test(kind)) return key === "status" ? STATUSES : [];
  const list = /^param/i.test(kind) ? columns.params : /^tag/i.test(kind) ? columns.tags : [];
  return list.find((c) => c.key === key)?.values ?? [];
}

/** The best matches of a word among labels: a beginning of the key before a hit inside it. */
function rank(items: Completion[], word: string): Completion[] {
  const text = word.toLowerCase().replaceAll("`", "");
  const score = (label: string) => {
    const name = label.toLowerCase();
    if (name.startsWith(text) || name.slice(name.indexOf(".") + 1).startsWith(text)) return 0;
    return name.includes(text) ? 1 : 2;
  };
  return items.map((item) => [score(item.label), item] as const).filter(([s]) => s < 2).sort((a, b) => a[0] - b[0]).map(([, item]) => item);
}

/** What fits at the caret: keys, then operators of that key, then its values, then AND and OR. */
export function complete(text: string, caret: number, columns: Columns, most = 40): Completions {
  const before = text.slice(0, caret);
  const value = before.match(/^(.*?)(=|!=|\blike|\bilike)\s*(['"]?)([^'"]*)$/is);
  if (value) {
    const [, head = "", , mark = "", typed = ""] = value;
    const key = head.match(KEY);
    const all = key ? valuesOf(key[1]!, bare(key[2]!), columns) : [];
    const items = all.filter((v) => v.toLowerCase().includes(typed.toLowerCase()) && v !== typed).map((v) => ({ insert: `${quote(v)} `, label: v, kind: "value" as const }));
    if (key && (mark || !/\s$/.test(before) || !typed)) return { from: caret - typed.length - mark.length, to: caret, items: items.slice(0, most) };
  }
  const key = before.match(new RegExp(KEY.source.replace(/\\s\*\$$/, "\\s+([<>=!A-Za-z ]*)$"), "i"));
  if (key) {
    const typed = key[3] ?? "";
    const ops = /^metric/i.test(key[1]!) || /_time$/.test(key[2]!) ? NUMBER_OPS : TEXT_OPS;
    const items = ops.filter((op) => op.startsWith(typed.toUpperCase()) && op !== typed).map((op) => ({ insert: `${op} `, label: op, kind: "operator" as const }));
    return { from: caret - typed.length, to: caret, items };
  }
  const word = before.match(/[\w.`/-]*$/)?.[0] ?? "";
  if (!word && /(['"`)\d]|NULL)\s+$/i.test(before)) return { from: caret, to: caret, items: ["AND ", "OR "].map((w) => ({ insert: w, label: w.trim(), kind: "operator" })) };
  return { from: caret - word.length, to: caret, items: rank(keyItems(columns), word).slice(0, most) };
}

export interface Token {
  text: string;
  kind: "namespace" | "word" | "operator" | "joint" | "space";
}

const TOKEN = /(\s+)|(\b(?:metrics?|params?|parameters?|tags?|attributes?|attr|run|datasets?)\.)|(`[^`]*`?|"[^"]*"?|'[^']*'?)|([<>=!]+|\b(?:NOT IN|IN|I?LIKE|IS NOT NULL|IS NULL|BETWEEN)\b)|(\b(?:AND|OR|NOT)\b)|([^\s<>=!`"']+)/gi;

/** Splits a filter for colouring. Joined again, the tokens are the text. */
export function tokens(text: string): Token[] {
  return [...text.matchAll(TOKEN)].map(([all, space, namespace, , operator, joint]) => ({
    text: all,
    kind: space ? "space" : namespace ? "namespace" : operator ? "operator" : joint ? "joint" : "word",
  }));
}
