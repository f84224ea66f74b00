/** What the page reads of a model: its flavors and its signature, from the MLmodel file or from the tag in which MLflow 2 kept them. */

/** One value that a model takes or gives: its name, and its type with the shape where it is a tensor. */
export interface Field {
  name: string;
  type: string;
  optional: boolean;
}

export interface Signature {
  inputs: Field[] | null;
  outputs: Field[] | null;
  params: Field[] | null;
}

export interface ModelFile {
  flavors: string[];
  signature: Signature | null;
}

const PARTS = ["inputs", "outputs", "params"] as const;

interface WireField {
  name?: string | number;
  type?: string | { type?: string };
  required?: boolean;
  optional?: boolean;
  default?: unknown;
  shape?: unknown;
  items?: WireField;
  properties?: Record<string, WireField>;
  "tensor-spec"?: { dtype?: string; shape?: number[] };
}

const sized = (dtype: string, shape: unknown) => (Array.isArray(shape) ? `${dtype} [${shape.map((n) => (n === -1 ? "…" : String(n))).join(", ")}]` : dtype);

function typeOf(field: WireField): string {
  const { type, items, properties } = field;
  if (field["tensor-spec"]) return sized(field["tensor-spec"].dtype ?? "tensor", field["tensor-spec"].shape);
  if (type === "array" && items) return `${typeOf(items)}[]`;
  if (type === "object" && properties) return `{${Object.entries(properties).map(([name, one]) => `${name}: ${typeOf(one)}`).join(", ")}}`;
  return sized(String(type ?? ""), field.shape);
}

/** The fields of one part of a signature, which is a JSON list in a text; null where there is none or it cannot be read. */
function fieldsOf(text: unknown): Field[] | null {
  if (typeof text !== "string") return null;
  try {
    const found: unknown = JSON.parse(text);
    if (!Array.isArray(found)) return null;
    return (found as WireField[]).map((field) => ({ name: String(field.name ?? ""), type: typeOf(field), optional: field.optional === true || field.required === false || "default" in field }));
  } catch {
    return null;
  }
}

/** A signature as MLflow keeps it: a JSON text a part. */
export function signatureOf(parts: Record<string, unknown>): Signature | null {
  const [inputs, outputs, params] = PARTS.map((part) => fieldsOf(parts[part]));
  return inputs || outputs || params ? { inputs: inputs ?? null, outputs: outputs ?? null, params: params ?? null } : null;
}

/** The text of a YAML scalar (YAML 1.2, 7.3): quoted once or twice, or plain; folded lines are joined by spaces. */
function scalar(text: string): string {
  const folded = text.trim().replace(/\\\n\s*\\?/g, "").replace(/\s*\n\s*/g, " ");
  if (folded.startsWith("'")) return folded.slice(1, folded.lastIndexOf("'")).replaceAll("''", "'");
  if (!folded.startsWith('"')) return folded;
  try {
    return JSON.parse(folded) as string;
  } catch {
    return folded.slice(1, -1);
  }
}

/** The keys directly below a key at the margin of a YAML text, each with the text that follows it. */
function below(text: string, key: string): Map<string, string> {
  const lines = text.split("\n");
  const found = new Map<string, string>();
  let at = lines.findIndex((line) => line.trimEnd() === `${key}:`) + 1;
  if (at === 0) return found;
  let name = "";
  for (; at < lines.length && !/^\S/.test(lines[at]!); at++) {
    const start = /^ {2}([\w.-]+):(.*)$/.exec(lines[at]!);
    if (start) [name] = [start[1]!, found.set(start[1]!, start[2]!)];
    else if (name) found.set(name, `${found.get(name)}\n${lines[at]}`);
  }
  return found;
}

/** What an MLmodel file says of its flavors and signature. */
export function readModelFile(text: string): ModelFile {
  const signature = Object.fromEntries([...below(text, "signature")].map(([part, value]) => [part, scalar(value)]));
  return { flavors: [...below(text, "flavors").keys()], signature: signatureOf(signature) };
}

/** A model whose files lie among the run's, as MLflow 2 logs them. */
export interface FolderModel extends ModelFile {
  path: string;
}

/** The models in a run's tag `mlflow.log-model.history`; of a path that was logged again, the last. */
export function folderModels(tag: string | undefined): FolderModel[] {
  try {
    const found: unknown = JSON.parse(tag ?? "[]");
    if (!Array.isArray(found)) return [];
    const models = (found as { artifact_path?: unknown; flavors?: object; signature?: Record<string, unknown> | null }[]).flatMap(({ artifact_path: path, flavors, signature }) =>
      typeof path === "string" && path !== "" ? [{ path, flavors: Object.keys(flavors ?? {}), signature: signatureOf(signature ?? {}) }] : []);
    return [...new Map(models.map((one) => [one.path, one])).values()];
  } catch {
    return [];
  }
}
