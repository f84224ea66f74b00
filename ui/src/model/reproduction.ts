/** How a run is started again, from what its tags and its artifacts say. */

export interface Reproduction {
  /** The one command that restores code and packages, runs the program and compares; null where that is known to fail. */
  command: string | null;
  /** The same by hand, as far as it goes. */
  lines: string[];
  commit: string | null;
  /** True with uncommitted changes, null when that was not recorded. */
  dirty: boolean | null;
  /** True when the changes are kept as a patch that the commands apply. */
  patch: boolean;
  /** True when the installed packages are kept. */
  packages: boolean;
  branch: string | null;
  python: string | null;
  /** The artifact that keeps a script which git did not have; null when git had it. */
  script: string | null;
  missing: ("commit" | "command" | "environment")[];
}

/** The files that were kept beside the run, and the address of one of them; absent where only the tags are known. */
export interface Kept {
  paths: readonly string[];
  href: (path: string) => string;
}

/** The run itself, and the address of the server that has it. */
export interface Origin {
  id: string;
  server: string;
}

export const KEPT_FOLDER = "logbuch";
const PATCH = "logbuch/diff.patch";
const PACKAGES = "logbuch/requirements.txt";

const first = (tags: Record<string, string>, ...keys: string[]) => keys.map((k) => tags[k]).find((v) => v) ?? null;
const yes = (text: string | null | undefined) => /^(true|1|yes)$/i.test(text ?? "");

/** A word as a shell takes it literally. */
export const shellWord = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function commandOf(tags: Record<string, string>): string | null {
  const command = first(tags, "logbuch.command", "logbuch.source.command");
  if (command) return command;
  const source = first(tags, "mlflow.source.name");
  return source && (source.endsWith(".py") ? `python ${shellWord(source)}` : source);
}

function whole(tags: Record<string, string>, origin: Origin | null, code: boolean): string | null {
  const recorded = tags["logbuch.command"] ?? "";
  if (!origin || !code || !recorded || recorded.includes("***")) return null; // hidden secrets would be run as they are
  return `logbuch reproduce ${shellWord(origin.id)} --tracking-uri ${shellWord(origin.server)}`;
}

/** The commands that start a run again; what was not recorded is listed, not guessed. */
export function reproduction(tags: Record<string, string>, kept: Kept | null = null, origin: Origin | null = null): Reproduction {
  const commit = first(tags, "logbuch.git.commit", "mlflow.source.git.commit");
  const dirtyTag = first(tags, "logbuch.git.dirty", "mlflow.source.git.dirty");
  const dirty = dirtyTag === null ? null : yes(dirtyTag);
  const patch = dirty === true && commit !== null && kept !== null && kept.paths.includes(PATCH);
  const folder = first(tags, "logbuch.git.folder");
  const command = commandOf(tags);
  const python = first(tags, "logbuch.python", "logbuch.environment.python");
  const untracked = yes(tags["logbuch.source.untracked"]);
  const name = (tags["mlflow.source.name"] ?? "").split(/[\\/]/).pop() ?? "";
  const lines: string[] = [];
  if (commit) lines.push(`git checkout ${shellWord(commit.slice(0, 12))}`);
  if (patch) lines.push(`curl -s ${quoted(kept.href(PATCH))} | git apply`);
  if (kept?.paths.includes(PACKAGES)) lines.push(`curl -s ${quoted(kept.href(PACKAGES))} -o logbuch-requirements.txt`, "pip install -r logbuch-requirements.txt");
  if (folder && command) lines.push(`cd ${shellWord(folder)}`);
  if (command) lines.push(command);
  const missing: Reproduction["missing"] = [];
  if (!commit) missing.push("commit");
  if (!command) missing.push("command");
  if (!python) missing.push("environment");
  return { command: whole(tags, origin, commit !== null || untracked), lines, commit, dirty, patch, packages: kept?.paths.includes(PACKAGES) ?? false, branch: first(tags, "logbuch.git.branch", "mlflow.source.git.branch"), python, script: untracked ? `${KEPT_FOLDER}/source/${name}` : null, missing };
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
