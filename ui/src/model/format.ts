/** Numbers, times and names as the page writes them. `locale` is "en" or "de". */

const MISSING = "–";

/** How the numbers of one column are written: digits behind the point, or null for exponential form. */
export interface Digits {
  fraction: number | null;
}

/** Four significant digits for the typical value of a column, the same number of decimals in every row. */
export function digitsFor(values: readonly (number | null)[]): Digits {
  const finite = values.filter((v): v is number => v !== null && Number.isFinite(v));
  if (finite.every((v) => Number.isInteger(v) && Math.abs(v) < 1e15)) return { fraction: 0 };
  const sizes = finite.map(Math.abs).filter((v) => v > 0).sort((a, b) => a - b);
  const typical = sizes[Math.floor(sizes.length / 2)] ?? 1;
  if (typical < 1e-3 || typical >= 1e7) return { fraction: null };
  return { fraction: Math.min(6, Math.max(0, 3 - Math.floor(Math.log10(typical)))) };
}

const formatters = new Map<string, Intl.NumberFormat>();

function formatter(locale: string, fraction: number): Intl.NumberFormat {
  const id = `${locale}${fraction}`;
  let made = formatters.get(id);
  if (!made) formatters.set(id, (made = new Intl.NumberFormat(locale, { minimumFractionDigits: fraction, maximumFractionDigits: fraction })));
  return made;
}

/** "1e-4", "2.85e-5": three significant digits, no padding. */
export function exponential(value: number, locale: string): string {
  const text = Number(value.toPrecision(3)).toExponential().replace("e+", "e");
  return locale === "de" ? text.replace(".", ",") : text;
}

/** A metric value. NaN and the infinities are words; a missing value is an en dash. */
export function formatValue(value: number | null, digits: Digits, locale: string): string {
  if (value === null) return MISSING;
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Inf" : "−Inf";
  if (value === 0) return digits.fraction ? formatter(locale, digits.fraction).format(0) : "0";
  if (digits.fraction === null) return exponential(value, locale);
  const small = Math.abs(value) < 10 ** -digits.fraction / 2;
  return (small ? exponential(value, locale) : formatter(locale, digits.fraction).format(value)).replace(/^-/, "−");
}

/** A single figure by its own size. */
export const formatNumber = (value: number | null, locale: string) => formatValue(value, digitsFor([value]), locale);

export const formatCount = (value: number, locale: string) => formatter(locale, 0).format(value);

/** A relative change with its sign, one decimal: "−1.2 %". Below 0.05 % it is "0.0 %". */
export function formatDelta(ratio: number | null, locale: string): string {
  if (ratio === null || !Number.isFinite(ratio)) return MISSING;
  const percent = ratio * 100;
  const text = formatter(locale, Math.abs(percent) >= 1000 ? 0 : 1).format(Math.abs(percent));
  const zero = Math.abs(percent) < 0.05;
  return `${zero ? "" : percent < 0 ? "−" : "+"}${text} %`;
}

const two = (n: number) => String(n).padStart(2, "0");

/** "12s", "25m 07s", "3h 05m", "2d 04h" for milliseconds. */
export function formatDuration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms) || ms < 0) return MISSING;
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${two(s % 60)}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${two(Math.floor((s % 3600) / 60))}m`;
  return `${Math.floor(s / 86400)}d ${two(Math.floor((s % 86400) / 3600))}h`;
}

const AGO_UNITS: Record<string, [string, string, string, string]> = { en: ["s", "min", "h", "d"], de: ["s", "Min.", "Std.", "T"] };

/** How long ago, in one unit: "6 min", "2 h", "3 d". */
export function formatAgo(time: number | null, now: number, locale: string): string {
  if (!time) return MISSING;
  const s = Math.max(0, Math.floor((now - time) / 1000));
  const [sec, min, hour, day] = AGO_UNITS[locale] ?? AGO_UNITS["en"]!;
  if (s < 60) return `${s} ${sec}`;
  if (s < 3600) return `${Math.floor(s / 60)} ${min}`;
  if (s < 86400) return `${Math.floor(s / 3600)} ${hour}`;
  return `${Math.floor(s / 86400)} ${day}`;
}

/** Where the calendar of ECMAScript ends (ECMA-262, time values): a clock may tell more. */
const LAST_MOMENT = 8.64e15;
const BEYOND: Record<string, [before: string, after: string]> = { en: ["before all calendars", "beyond the calendar"], de: ["vor jedem Kalender", "jenseits des Kalenders"] };

/** Whether a date can be made of a time in Unix milliseconds. */
export const isMoment = (time: number) => Math.abs(time) <= LAST_MOMENT;

/** A moment as text: "14:02", "21 Nov, 14:02" or with the year when it is another one; words for what no calendar holds. */
export function formatMoment(time: number | null, now: number, locale: string): string {
  if (!time || Number.isNaN(time)) return MISSING;
  if (!isMoment(time)) return (BEYOND[locale] ?? BEYOND["en"]!)[time < 0 ? 0 : 1];
  const date = new Date(time);
  const today = new Date(now);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === today.toDateString()) return clock;
  const year = date.getFullYear() === today.getFullYear() ? {} : ({ year: "numeric" } as const);
  return `${date.toLocaleDateString(locale === "en" ? "en-GB" : locale, { day: "numeric", month: "short", ...year })}, ${clock}`;
}

export function formatBytes(bytes: number | null | undefined, locale: string): string {
  if (bytes === null || bytes === undefined) return MISSING;
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${formatter(locale, unit > 0 && value < 100 ? 1 : 0).format(value)} ${units[unit]}`;
}

/** A long name loses its middle, never its end. */
export function middle(name: string, most = 23): string {
  if (name.length <= most) return name;
  const tail = Math.floor(most / 3) + 1;
  return `${name.slice(0, most - tail - 1)}…${name.slice(-tail)}`;
}

/** Where the names begin to differ, at the start of a word. */
function commonStart(names: readonly string[], ends: string): number {
  const [first = "", ...rest] = names;
  let at = 0;
  while (at < first.length && rest.every((name) => name[at] === first[at])) at++;
  while (at > 0 && !ends.includes(first[at - 1]!)) at--;
  return at;
}

const turned = (text: string) => [...text].reverse().join("");

/** How many characters names of one beginning share at their start and at their end, in whole words. */
function shared(names: readonly string[]): [start: number, end: number] {
  if (names.length < 2) return [0, 0];
  const backwards = names.map(turned);
  return [commonStart(names, "./") || commonStart(names, "_-"), commonStart(backwards, "./") || commonStart(backwards, "_-")];
}

const firstWord = (name: string) => /^[^./_-]*/.exec(name)![0];

/** Long names that begin alike lose the words that they share at both ends, as in "…block_0…"; what is still long loses its middle. */
export function tellApart(names: readonly string[], most = 17): Map<string, string> {
  const long = new Map<string, string[]>();
  for (const name of new Set(names)) if (name.length > most) long.set(firstWord(name), [...(long.get(firstWord(name)) ?? []), name]);
  const ends = new Map([...long].map(([word, list]) => [word, shared(list)]));
  return new Map(names.map((name) => {
    const [start, end] = ends.get(firstWord(name)) ?? [0, 0];
    const own = name.length > most ? name.slice(start, name.length - end) : "";
    return [name, own ? middle(`${start ? "…" : ""}${own}${end ? "…" : ""}`, most) : middle(name, most)];
  }));
}

const NUMERIC = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const SIGNIFICANT = 6;

/** True for a text that is a decimal number. */
export const isNumeric = (text: string) => NUMERIC.test(text.trim());

/** A parameter as it is shown: fractions have at most six significant digits. Whole numbers stay, they may be a seed or an id. */
export function formatParam(text: string): string {
  const trimmed = text.trim();
  if (!isNumeric(trimmed) || /^[+-]?\d+$/.test(trimmed)) return text;
  const digits = trimmed.replace(/e.*$/i, "").replace(/[^\d]/g, "").replace(/^0+/, "");
  return digits.length <= SIGNIFICANT ? text : String(Number(Number(trimmed).toPrecision(SIGNIFICANT))).replace("e+", "e");
}
