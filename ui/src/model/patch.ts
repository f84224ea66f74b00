/** Reads what `git diff` writes (unified diff). */

export interface DiffLine {
  kind: "add" | "remove" | "same" | "place";
  text: string;
}
export interface DiffFile {
  path: string;
  added: number;
  removed: number;
  lines: DiffLine[];
}

const plain = (path: string) => path.replace(/^"|"$/g, "").replace(/\t.*$/, "").replace(/^[ab]\//, "");

/** The files of a patch with their lines; lines of a head between files are left out, as git prints them for itself. */
export function diffFiles(text: string): DiffFile[] {
  const files: DiffFile[] = [];
  let [inHunk, headed] = [false, false];
  const file = () => files[files.length - 1];
  for (const line of text.split("\n")) {
    if (line.startsWith("diff --git ")) {
      [inHunk, headed] = [false, true];
      files.push({ path: plain(line.slice(line.lastIndexOf(" b/") + 1)), added: 0, removed: 0, lines: [] });
    } else if (!inHunk && line.startsWith("--- ")) {
      if (!headed) files.push({ path: plain(line.slice(4)), added: 0, removed: 0, lines: [] });
    } else if (!inHunk && line.startsWith("+++ ")) {
      if (file() && line !== "+++ /dev/null") file()!.path = plain(line.slice(4));
    } else if (line.startsWith("@@") && file()) {
      inHunk = true;
      file()!.lines.push({ kind: "place", text: line });
    } else if (inHunk && file()) addLine(file()!, line);
    else if (/^(Binary files|new file mode|deleted file mode|rename (from|to)) /.test(line) && file()) file()!.lines.push({ kind: "place", text: line });
  }
  return files;
}

function addLine(file: DiffFile, line: string): void {
  const sign = line[0];
  if (sign === "+") file.added++;
  if (sign === "-") file.removed++;
  if (sign === "+" || sign === "-" || sign === " ") file.lines.push({ kind: sign === "+" ? "add" : sign === "-" ? "remove" : "same", text: line.slice(1) });
  else if (sign === "\\") file.lines.push({ kind: "place", text: line.slice(2) });
}
