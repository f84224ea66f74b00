import type { Columns } from "../api/table";
import { isNumeric } from "./format";

/** The search field: what is typed, what is sent, and what is offered under the caret. */

const OPERATOR = /[=<>!()]|\b(i?like|in|not|is|null|and|or|between)\b/i;
const PREFIX = /^(metrics?|params?|parameters?|tags?|attributes?|attr|run|datasets?)\./i;

/** A text as the search language wants it. */
export function quote(text: string): string {
  // A quote behind a backslash does not double: then the other sort of quote stands around.
  const mark = ["'", '"'].find((one) => !text.includes(one)) ?? ["'", '"'].find((one) => !text.includes(`\\${one}`)) ?? "'";
  return mark + text.replaceAll(mark, mark + mark) + mark;
}

/** True for words that name no key and hold no operator: they search names. */
export const isPlain = (text: string) => !OPERATOR.test(text) && !text.trim().split(/\s+/).some((word) => PREFIX.test(word));

/** The filter that is sent: plain words become name searches, an expression goes as it is, an unfinished one not at all. */
export function toFilter(text: string): string {
  const trimmed = text.trim();
  if (!trimmed || unfinished(trimmed)) return "";
  if (!isPlain(trimmed)) return trimmed;
  return trimmed.split(/\s+/).map((word) => `attributes.run_name ILIKE ${quote(`%${word}%`)}`).join(" AND ");
}

/** What a half-typed expression still lacks, and the word it lacks it after. */
export interface Unfinished {
  lacks: "key" | "operator" | "value" | "quote" | "parenthesis" | "condition";
  word: string;
}

interface Word {
  kind: "text" | "open" | "close" | "operator" | "joint" | "word";
  text: string;
}

const WORD = /('[^']*'?|"[^"]*"?)|(\()|(\))|([<>=!]+)|([^\s<>=!()'"`,]*`[^`]*`?|[^\s<>=!()'"`,]+)/g;
const WORD_OPERATOR = /^(i?like|in|is|between)$/i;
const JOINT = /^(and|or|not)$/i;

function wordsOf(text: string): Word[] {
  return [...text.matchAll(WORD)].map(([all, quoted, open, close, sign]) => {
    const kind = quoted ? "text" : open ? "open" : close ? "close" : sign || WORD_OPERATOR.test(all) ? "operator" : JOINT.test(all) ? "joint" : "word";
    return { kind, text: all };
  });
}

const isOpen = ({ text }: Word) => /^['"]/.test(text) ? text.length < 2 || !text.endsWith(text[0]!) : (text.match(/`/g)?.length ?? 0) % 2 === 1;

/** What an expression still lacks at its end; null for plain words and for what the server can judge. */
export function unfinished(text: string): Unfinished | null {
  if (!text.trim() || isPlain(text)) return null;
  const words = wordsOf(text);
  const last = words[words.length - 1];
  if (!last) return null;
  const before = words[words.length - 2];
  if (isOpen(last)) return { lacks: "quote", word: last.text };
  if (last.kind === "operator") return { lacks: "value", word: last.text };
  if (last.kind === "joint") return before?.kind === "operator" ? { lacks: "value", word: last.text } : { lacks: "condition", word: last.text };
  const further = words[words.length - 3];
  const startsCondition = !before || ((before.kind === "open" || before.kind === "joint") && further?.kind !== "operator");
  if (last.kind === "word" && startsCondition) {
    const key = last.text.replace(PREFIX, "");
    return key || !PREFIX.test(last.text) ? { lacks: "operator", word: last.text } : { lacks: "key", word: last.text };
  }
  const depth = words.reduce((sum, w) => sum + Number(w.kind === "open") - Number(w.kind === "close"), 0);
  return depth > 0 ? { lacks: "parenthesis", word: "(" } : null;
}

/** The conditions that an expression joins by AND at its top; the whole, where it joins otherwise. */
export function conditionsOf(text: string): string[] {
  let [depth, from, between] = [0, 0, false];
  const parts: string[] = [];
  for (const match of text.matchAll(WORD)) {
    const [all, quoted, open, close] = match;
    if (open) depth++;
    else if (close) depth--;
    else if (quoted || depth > 0) continue;
    else if (/^or$/i.test(all)) return text.trim() ? [text.trim()] : [];
    else if (/^between$/i.test(all)) between = true;
    else if (/^and$/i.test(all) && between) between = false;
    else if (/^and$/i.test(all)) {
      parts.push(text.slice(from, match.index).trim());
      from = match.index + all.length;
    }
  }
  return [...parts, text.slice(from).trim()].filter(Boolean);
}

/** A key as the search language wants it: backticks where it is no plain word. */
export const quoteKey = (key: string) => (/^[A-Za-z_][\w]*$/.test(key) ? key : `\`${key.replaceAll("`", "``")}\``);

/** True where a condition that is joined by AND would bind closer than the filter itself. */
const isLoose = (filter: string) => wordsOf(filter).some(({ kind, text }) => kind === "joint" && text.toUpperCase() === "OR");

/** Adds a condition to a filter; a plain search becomes conditions first, alternatives stay together. */
export function addCondition(text: string, condition: string): string {
  const filter = toFilter(text);
  if (!condition || !filter) return condition || filter;
  return `${isLoose(filter) ? `(${filter})` : filter} AND ${condition}`;
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

const ATTRIBUTES = ["run_name", "status", "start_time", "end_time", "duration", "user_id", "run_id"];
const STATUSES = ["FINISHED", "RUNNING", "LOST", "FAILED", "KILLED", "SCHEDULED"];
const NUMBER_OPS = ["<", "<=", ">", ">=", "=", "!="];
const TEXT_OPS = ["=", "!=", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL"];
const NUMERIC_PARAM_OPS = ["=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL"];
const KEY = /(metrics?|params?|parameters?|tags?|attributes?|attr|run)\.(`[^`]*`|"[^"]*"|[\w./-]+)\)?\s*$/i;

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

/** Metrics and times compare by size; so do parameters whose known values are all numbers. */
function operatorsOf(kind: string, key: string, columns: Columns): string[] {
  if (/^metric/i.test(kind) || /_time$|^duration$/.test(key)) return NUMBER_OPS;
  const values = /^param/i.test(kind) ? valuesOf(kind, key, columns) : [];
  return values.length > 0 && values.every(isNumeric) ? NUMERIC_PARAM_OPS : TEXT_OPS;
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
  const value = before.match(/^(.*)(?<![<>!=])(<=|>=|!=|=|<|>|\blike|\bilike)\s*(['"]?)([^'"]*)$/is);
  if (value && (value[3] || !/\s/.test(value[4] ?? ""))) {
    const [, head = "", operator = "", mark = "", typed = ""] = value;
    const key = head.match(KEY);
    const bySize = /[<>]/.test(operator);
    const all = key ? valuesOf(key[1]!, bare(key[2]!), columns).filter((v) => !bySize || isNumeric(v)) : [];
    const items = all.filter((v) => v.toLowerCase().includes(typed.toLowerCase()) && v !== typed).map((v) => ({ insert: `${bySize ? v : quote(v)} `, label: v, kind: "value" as const }));
    if (key && (mark || !/\s$/.test(before) || !typed)) return { from: caret - typed.length - mark.length, to: caret, items: items.slice(0, most) };
  }
  const key = before.match(new RegExp(KEY.source.replace(/\\s\*\$$/, "\\s+([<>=!A-Za-z ]*)$"), "i"));
  if (key) {
    const typed = key[3] ?? "";
    const ops = operatorsOf(key[1]!, bare(key[2]!), columns);
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

/** A key of a filter that no run has, and the key that was probably meant. */
export interface UnknownKey {
  key: string;
  /** Where the key stands in the text. */
  from: number;
  to: number;
  near: string | null;
}

const KEYS = /(?:^|[\s(])(metrics?|params?|parameters?|tags?)\.(`[^`]*`|"[^"]*"|[\w./-]+)/gi;

/** How many letters must change to make one word of the other; neighbours that changed places count once. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : Infinity;
      row.push(Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + Number(a[i - 1] !== b[j - 1]), swap));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

const MOST_COMPARED = 500;

function nearest(key: string, known: readonly string[]): string | null {
  const low = key.toLowerCase();
  const scored = known.slice(0, MOST_COMPARED).map((name) => [editDistance(low, name.toLowerCase()), name] as const).sort((a, b) => a[0] - b[0]);
  const best = scored[0];
  return best && best[0] <= Math.max(1, Math.floor(key.length / 3)) ? best[1] : null;
}

/** The keys of a filter that no run has. Texts in quotes are not searched for keys. */
export function unknownKeys(text: string, columns: Columns): UnknownKey[] {
  if (isPlain(text)) return [];
  const bareText = text.replace(/(^|[^.])('[^']*'|"[^"]*")/g, (all, head: string) => head + " ".repeat(all.length - head.length));
  return [...bareText.matchAll(KEYS)].flatMap((match) => {
    const [all, kind = "", written = ""] = match;
    const key = bare(written);
    const list = (/^metric/i.test(kind) ? columns.metrics : /^tag/i.test(kind) ? columns.tags : columns.params).map((c) => c.key);
    if (!key || list.includes(key)) return [];
    const to = match.index + all.length;
    return [{ key, from: to - written.length, to, near: nearest(key, list) }];
  });
}
