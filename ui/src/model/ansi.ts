/** Text with the classes of its look; colours are names of the palette in logs.css, so they suit both themes. */
export interface Span {
  text: string;
  look: string;
}

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;
const SEQUENCE = /\u001b\[([0-9;:]*)m|\u001b\[[0-9;:?<=>]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b./g;
const GREY = 40;

interface Look {
  front: string;
  back: string;
  on: Set<string>;
}

/** The nearest name of the palette to a colour: shades are given up, since they would not be readable on both grounds. */
export function nearest(red: number, green: number, blue: number): string {
  const [low, high] = [Math.min(red, green, blue), Math.max(red, green, blue)];
  if (high - low < GREY) return high < 96 ? "black" : "white";
  const middle = (low + high) / 2;
  return NAMES[(red > middle ? 1 : 0) + (green > middle ? 2 : 0) + (blue > middle ? 4 : 0)]!;
}

/** A colour of the 256 of xterm. */
function indexed(index: number): string {
  if (index < 16) return NAMES[index % 8]!;
  if (index >= 232) return index < 244 ? "black" : "white";
  const cube = index - 16;
  const level = (part: number) => (part ? 55 + 40 * part : 0);
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

const ON: Record<number, string> = { 1: "b", 2: "dim", 3: "i", 4: "u", 7: "inv", 9: "st" };
const OFF: Record<number, string[]> = { 22: ["b", "dim"], 23: ["i"], 24: ["u"], 27: ["inv"], 29: ["st"] };

function apply(look: Look, codes: number[]): void {
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!;
    if (code === 0) {
      look.front = look.back = "";
      look.on.clear();
    } else if (ON[code]) look.on.add(ON[code]);
    else if (OFF[code]) OFF[code].forEach((name) => look.on.delete(name));
    else if (code === 38 || code === 48) {
      const wide = codes[at + 1] === 2;
      const name = wide ? nearest(codes[at + 2] ?? 0, codes[at + 3] ?? 0, codes[at + 4] ?? 0) : indexed(codes[at + 2] ?? 0);
      look[code === 38 ? "front" : "back"] = name;
      at += wide ? 4 : 2;
    } else if (code === 39) look.front = "";
    else if (code === 49) look.back = "";
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) look.front = NAMES[code % 10]!;
    else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) look.back = NAMES[code % 10]!;
  }
}

const classes = ({ front, back, on }: Look) => [front && `f-${front}`, back && `k-${back}`, ...on].filter(Boolean).join(" ");

/** A line with ANSI escape sequences as spans: colours and weights become looks, all others vanish. */
export function parseAnsi(line: string): Span[] {
  if (!line.includes("\u001b")) return line ? [{ text: line, look: "" }] : [];
  const spans: Span[] = [];
  const look: Look = { front: "", back: "", on: new Set() };
  let from = 0;
  const add = (text: string) => {
    const name = classes(look);
    const last = spans.at(-1);
    if (text && last?.look === name) last.text += text;
    else if (text) spans.push({ text, look: name });
  };
  for (const match of line.matchAll(SEQUENCE)) {
    add(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1] !== undefined) apply(look, match[1].split(/[;:]/).map(Number));
  }
  add(line.slice(from));
  return spans;
}

/** The spans cut where a text occurs, whichever spans it reaches across; those within it have `hit`. */
export function markSpans(spans: Span[], wanted: string): (Span & { hit?: boolean })[] {
  if (!wanted) return spans;
  const whole = spans.map((span) => span.text).join("").toLowerCase();
  const needle = wanted.toLowerCase();
  const edges: number[] = [];
  for (let at = whole.indexOf(needle); at >= 0; at = whole.indexOf(needle, at + needle.length)) edges.push(at, at + needle.length);
  if (!edges.length) return spans;
  const cut: (Span & { hit?: boolean })[] = [];
  let [place, edge] = [0, 0];
  for (const span of spans) {
    for (let from = 0; from < span.text.length; ) {
      while (edge < edges.length && edges[edge]! <= place) edge++;
      const end = edge < edges.length ? Math.min(span.text.length, from + edges[edge]! - place) : span.text.length;
      cut.push({ text: span.text.slice(from, end), look: span.look, ...(edge % 2 ? { hit: true } : {}) });
      place += end - from;
      from = end;
    }
  }
  return cut;
}
