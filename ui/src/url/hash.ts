import { comparePath } from "./compare";
import { experimentPath, runPath } from "./routes";

function listOf(text: string | null): string[] {
  if (!text) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed.map(String) : [];
  } catch {
    return text.split(",").filter(Boolean);
  }
}

/** Where one of MLflow's printed addresses ("#/experiments/1/runs/abc") lives here, or null when it is none of them. */
export function fromMlflowHash(hash: string): string | null {
  if (!hash.startsWith("#/")) return null;
  const [path = "", query = ""] = hash.slice(2).split("?");
  const [kind, id, runs, runId] = path.split("/").filter(Boolean).map(decodeURIComponent);
  if (kind === undefined) return "/";
  if (kind === "compare-runs" || kind === "compare") return comparePath({ runs: listOf(new URLSearchParams(query).get("runs")) });
  if (kind !== "experiments") return null;
  if (id === undefined) return "/experiments";
  if (runs === "runs" && runId) return runPath(id, runId);
  return experimentPath(id);
}
