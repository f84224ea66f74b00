export const RUN_TABS = ["overview", "parameters", "metrics", "system", "media", "logs", "artifacts", "model", "code"] as const;
export type RunTab = (typeof RUN_TABS)[number];

export type Route =
  | { page: "home" }
  | { page: "experiments" }
  | { page: "experiment"; experimentId: string }
  | { page: "run"; experimentId: string; runId: string; tab: RunTab }
  | { page: "compare" }
  | { page: "models" }
  | { page: "model"; name: string }
  | { page: "settings" }
  | { page: "missing"; path: string };

const isTab = (text: string): text is RunTab => (RUN_TABS as readonly string[]).includes(text);

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The route of a path below the base, such as "/e/1/runs/abc/metrics". */
export function parseRoute(path: string): Route {
  const parts = path.split("/").filter(Boolean).map(decode);
  const [first, experimentId, runs, runId, tab = "overview"] = parts;
  if (first === undefined) return { page: "home" };
  if (first === "experiments" && parts.length === 1) return { page: "experiments" };
  if (first === "compare" && parts.length === 1) return { page: "compare" };
  if (first === "models" && parts.length === 1) return { page: "models" };
  if (first === "models" && parts.length === 2) return { page: "model", name: parts[1]! };
  if (first === "settings" && parts.length === 1) return { page: "settings" };
  if (first === "e" && experimentId && parts.length === 2) return { page: "experiment", experimentId };
  if (first === "e" && experimentId && runs === "runs" && runId && parts.length <= 5 && isTab(tab))
    return { page: "run", experimentId, runId, tab };
  return { page: "missing", path };
}

/** The inverse of `parseRoute`; the first tab of a run is left out. */
export function formatRoute(route: Route): string {
  const part = encodeURIComponent;
  switch (route.page) {
    case "home":
      return "/";
    case "experiments":
    case "compare":
    case "models":
    case "settings":
      return `/${route.page}`;
    case "model":
      return `/models/${part(route.name)}`;
    case "experiment":
      return `/e/${part(route.experimentId)}`;
    case "run": {
      const tab = route.tab === "overview" ? "" : `/${route.tab}`;
      return `/e/${part(route.experimentId)}/runs/${part(route.runId)}${tab}`;
    }
    case "missing":
      return route.path;
  }
}

export const experimentPath = (experimentId: string) => formatRoute({ page: "experiment", experimentId });
export const runPath = (experimentId: string, runId: string, tab: RunTab = "overview") =>
  formatRoute({ page: "run", experimentId, runId, tab });
export const modelPath = (name: string, version?: string) => formatRoute({ page: "model", name }) + (version ? `?v=${encodeURIComponent(version)}` : "");
