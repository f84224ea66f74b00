// A colour, a type size or a duration is written in tokens.css and nowhere else.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const RULES = [
  ["colour", /#[0-9a-f]{3,8}\b|\b(?:rgb|rgba|hsl|hsla|oklch|oklab|lab|lch)\(/i],
  ["font size", /(?:font-size\s*:|font\s*:[^;]*?)\s*\d*\.?\d+(?:px|rem|pt)/i],
  ["duration", /(?:transition|animation)[^;]*?[\s:]\d*\.?\d+m?s\b/i],
];

function* cssFiles(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* cssFiles(path);
    else if (entry.name.endsWith(".css") && entry.name !== "tokens.css") yield path;
  }
}

const found = [];
for (const file of cssFiles("src")) {
  const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\//g, (c) => c.replace(/[^\n]/g, " "));
  text.split("\n").forEach((line, i) => {
    for (const [what, pattern] of RULES) if (pattern.test(line)) found.push(`${file}:${i + 1}: ${what} outside tokens.css: ${line.trim()}`);
  });
}
if (found.length) {
  console.error(found.join("\n"));
  process.exit(1);
}
