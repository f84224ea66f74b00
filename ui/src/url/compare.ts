/** What the compare page shows: run ids in order, and the one the others are measured against ("" = the first). */
export interface CompareView {
  runs: string[];
  base: string;
}

export function parseCompare(search: string): CompareView {
  const params = new URLSearchParams(search);
  const runs = (params.get("runs") ?? "").split(",").filter(Boolean);
  return { runs: [...new Set(runs)], base: params.get("base") ?? "" };
}

export function formatCompare(view: CompareView): string {
  const parts: string[] = [];
  if (view.runs.length) parts.push(`runs=${view.runs.map(encodeURIComponent).join(",")}`);
  if (view.base) parts.push(`base=${encodeURIComponent(view.base)}`);
  return parts.length ? `?${parts.join("&")}` : "";
}

export const comparePath = (view: CompareView) => `/compare${formatCompare(view)}`;
