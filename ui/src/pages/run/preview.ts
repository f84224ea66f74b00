export type PreviewKind = "image" | "json" | "csv" | "markdown" | "text" | "other";

const KINDS: [PreviewKind, RegExp][] = [
  ["image", /\.(png|jpe?g|gif|webp|bmp)$/i],
  ["json", /\.(json|ipynb|geojson)$/i],
  ["csv", /\.(csv|tsv)$/i],
  ["markdown", /\.(md|markdown)$/i],
  ["text", /(\.(txt|log|ya?ml|toml|ini|cfg|conf|py|sh|js|ts|html?|xml|rst|jsonl|diff|patch|env|sql|lock)|(^|\/)(MLmodel|Dockerfile|Makefile|LICENSE|README|requirements[\w-]*))$/i],
];

/** How a file is shown, by its name. HTML is shown as its text, never run. */
export const kindOf = (path: string): PreviewKind => KINDS.find(([, pattern]) => pattern.test(path))?.[0] ?? "other";

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

/** A logged table, `{"columns": [..], "data": [[..]]}`, as its first rows; null for any other JSON. */
export function jsonTable(text: string, most: number): Table | null {
  try {
    const { columns, data } = JSON.parse(text) as { columns?: unknown; data?: unknown };
    if (!Array.isArray(columns) || !columns.length || !Array.isArray(data) || !data.every(Array.isArray)) return null;
    return { head: columns.map(cellText), body: (data as unknown[][]).slice(0, most).map((row) => columns.map((_, i) => cellText(row[i]))) };
  } catch {
    return null;
  }
}

/** A text cut off somewhere, without its last, broken line. */
export const wholeLines = (text: string) => text.slice(0, text.lastIndexOf("\n") + 1) || text;

/** The first rows of a CSV text; quotes may hold separators, line ends and doubled quotes. */
export function csvRows(text: string, separator: string, most: number): string[][] {
  const rows: string[][] = [];
  let [row, cell, quoted] = [[] as string[], "", false];
  for (let i = 0; i < text.length && rows.length < most; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') [cell, i] = [cell + '"', i + 1];
      else quoted = false;
    } else if (c === '"' && cell === "") quoted = true;
    else if (c === separator) [row, cell] = [[...row, cell], ""];
    else if (c === "\n") {
      rows.push([...row, cell]);
      [row, cell] = [[], ""];
    } else if (c !== "\r") cell += c;
  }
  if (rows.length < most && (cell || row.length)) rows.push([...row, cell]);
  return rows;
}
