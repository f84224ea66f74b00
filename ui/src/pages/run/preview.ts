export type PreviewKind = "image" | "json" | "csv" | "markdown" | "html" | "audio" | "video" | "pdf" | "safetensors" | "diff" | "text" | "other";

const KINDS: [PreviewKind, RegExp][] = [
  ["image", /\.(png|jpe?g|gif|webp|bmp|svg)$/i],
  ["json", /\.(json|ipynb|geojson)$/i],
  ["csv", /\.(csv|tsv)$/i],
  ["markdown", /\.(md|markdown)$/i],
  ["html", /\.(html?|xhtml)$/i],
  ["audio", /\.(wav|mp3|ogg|oga|flac|m4a|opus)$/i],
  ["video", /\.(mp4|webm|ogv|mov)$/i],
  ["pdf", /\.pdf$/i],
  ["safetensors", /\.safetensors$/i],
  ["diff", /\.(diff|patch)$/i],
  ["text", /(\.(txt|log|ya?ml|toml|ini|cfg|conf|py|pyi|sh|bash|js|mjs|ts|tsx|jsx|css|xml|rst|jsonl|ndjson|env|sql|lock|c|h|cc|cpp|hpp|cu|cuh|rs|go|java|kt|r|jl|lua|tex|bib|srt|vtt|jinja2?|j2|tf|gradle|properties)|(^|\/)(MLmodel|Dockerfile|Makefile|LICENSE|README|NOTICE|AUTHORS|\.gitignore|requirements[\w-]*))$/i],
];

/** How a file is shown, by its name. */
export const kindOf = (path: string): PreviewKind => KINDS.find(([, pattern]) => pattern.test(path))?.[0] ?? "other";

/** Kinds whose text is read and shown by the page itself. */
export const isText = (kind: PreviewKind) => kind === "json" || kind === "csv" || kind === "markdown" || kind === "diff" || kind === "text";

export function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

export interface Table {
  head: string[];
  body: string[][];
}

const cellText = (value: unknown) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

/** A logged table, `{"columns": [..], "data": [[..]]}`, null for any other JSON. */
export function jsonTable(text: string): Table | null {
  try {
    const { columns, data } = JSON.parse(text) as { columns?: unknown; data?: unknown };
    if (!Array.isArray(columns) || !columns.length || !Array.isArray(data) || !data.every(Array.isArray)) return null;
    return { head: columns.map(cellText), body: (data as unknown[][]).map((row) => columns.map((_, i) => cellText(row[i]))) };
  } catch {
    return null;
  }
}

/** Lines of JSON objects as a table of all their keys; null where a line is something else. */
export function jsonLines(text: string): Table | null {
  const lines = text.split("\n").filter((line) => line.trim());
  const rows: Record<string, unknown>[] = [];
  for (const line of lines) {
    try {
      const row: unknown = JSON.parse(line);
      if (typeof row !== "object" || row === null || Array.isArray(row)) return null;
      rows.push(row as Record<string, unknown>);
    } catch {
      return null;
    }
  }
  const head = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return rows.length ? { head, body: rows.map((row) => head.map((key) => cellText(row[key]))) } : null;
}

/** A text cut off somewhere, without its last, broken line. */
export const wholeLines = (text: string) => text.slice(0, text.lastIndexOf("\n") + 1) || text;

/** The rows of a CSV text; quotes may hold separators, line ends and doubled quotes. */
export function csvRows(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let [row, cell, quoted] = [[] as string[], "", false];
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') [cell, i] = [cell + '"', i + 1];
      else quoted = false;
    } else if (c === '"' && cell === "") quoted = true;
    else if (c === separator || c === "\n") {
      row.push(cell);
      cell = "";
      if (c === "\n") {
        rows.push(row);
        row = [];
      }
    } else if (c !== "\r") cell += c;
  }
  if (cell || row.length) rows.push([...row, cell]);
  return rows;
}

export interface TensorInfo {
  name: string;
  dtype: string;
  shape: number[];
  /** Bytes of its values. */
  size: number;
}

export interface TensorFile {
  tensors: TensorInfo[];
  metadata: [key: string, value: string][];
  parameters: number;
}

const LENGTH_BYTES = 8;
export const MOST_HEADER = 16_000_000;

/**
 * The header of a safetensors file (https://github.com/huggingface/safetensors#format): eight bytes with the length of
 * the JSON that follows. `bytes` may end early; then the answer is how many bytes are needed, or null for no such file.
 */
export function tensorHeader(bytes: Uint8Array): TensorFile | { needs: number } | null {
  if (bytes.length < LENGTH_BYTES) return null;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MOST_HEADER || length < 2) return null;
  if (bytes.length < LENGTH_BYTES + length) return { needs: LENGTH_BYTES + length };
  try {
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length))) as Record<string, { dtype?: string; shape?: number[]; data_offsets?: [number, number] }>;
    const { __metadata__: metadata = {}, ...rest } = header;
    const tensors = Object.entries(rest).map(([name, { dtype = "", shape = [], data_offsets: [from, to] = [0, 0] }]) => ({ name, dtype, shape, size: to - from }));
    const parameters = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    return { tensors, metadata: Object.entries(metadata).map(([key, value]) => [key, cellText(value)]), parameters };
  } catch {
    return null;
  }
}

export interface StepFile {
  step: number;
  path: string;
}

/** The pictures of one series, such as `samples/step_100.png` beside `samples/step_200.png`, by step; empty where a file stands alone. */
export function stepSeries(paths: readonly string[], path: string): StepFile[] {
  const mask = (text: string) => text.replace(/\d+(?!.*\d)/, "#");
  const number = (text: string) => Number(/(\d+)(?!.*\d)/.exec(text)?.[1] ?? NaN);
  const name = (text: string) => text.slice(text.lastIndexOf("/") + 1, text.lastIndexOf("."));
  if (!/\d/.test(name(path))) return [];
  const like = mask(name(path));
  const ending = path.slice(path.lastIndexOf("."));
  const found = paths.filter((p) => p.endsWith(ending) && mask(name(p)) === like && Number.isFinite(number(name(p)))).map((p) => ({ step: number(name(p)), path: p }));
  return found.length > 1 ? found.sort((a, b) => a.step - b.step || a.path.localeCompare(b.path)) : [];
}
