/** A run's parameters as other programs read them. */

import { shellWord } from "./reproduction";

/** Texts that YAML would read as something other than a text, or that would break a line. */
const PLAIN = /^[A-Za-z_/.][\w ./+-]*$/;
const NOT_TEXT = /^(true|false|yes|no|on|off|null|~|\.inf|\.nan|y|n)$/i;
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const WORD = /^(true|false|null)$/;

/** A value as it was meant: numbers, true, false and null bare, everything else as a text. */
function yamlValue(text: string): string {
  // YAML 1.1 reads 1e-4 as a text: it wants a point before the e.
  if (NUMBER.test(text)) return /e/i.test(text) && !text.includes(".") ? text.replace(/e/i, ".0e") : text;
  if (WORD.test(text)) return text;
  if (text === "True" || text === "False") return text.toLowerCase();
  if (text === "None") return "null";
  return PLAIN.test(text) && !NOT_TEXT.test(text) && !/\s$|: /.test(text) ? text : JSON.stringify(text);
}

const yamlKey = (key: string) => (PLAIN.test(key) && !NOT_TEXT.test(key) && !/\s$/.test(key) ? key : JSON.stringify(key));

export const paramsAsJson = (params: Record<string, string>) => JSON.stringify(params, null, 2);

export const paramsAsYaml = (params: Record<string, string>) => Object.entries(params).map(([key, value]) => `${yamlKey(key)}: ${yamlValue(value)}\n`).join("");

/** Arguments of a command line, `--learning_rate 1e-4`; a value that begins with a dash is joined by "=". */
export const paramsAsFlags = (params: Record<string, string>) =>
  Object.entries(params).map(([key, value]) => (value.startsWith("-") ? `${shellWord(`--${key}`)}=${shellWord(value)}` : `${shellWord(`--${key}`)} ${value === "" ? "''" : shellWord(value)}`)).join(" ");
