import { useEffect } from "react";
import { readStored, writeStored } from "../ui/hooks";

/** A page somebody was on. */
export interface Visit {
  kind: "run" | "experiment";
  path: string;
  name: string;
}

const KEY = "logbuch.recent";
const MOST = 12;

export function recentVisits(): Visit[] {
  try {
    const found: unknown = JSON.parse(readStored(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((v): v is Visit => typeof v === "object" && v !== null && typeof (v as Visit).path === "string" && typeof (v as Visit).name === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** Remembers a page for the palette, once its name is known. */
export function useVisit(kind: Visit["kind"], path: string, name: string | undefined): void {
  useEffect(() => {
    if (!name) return;
    writeStored(KEY, JSON.stringify([{ kind, path, name }, ...recentVisits().filter((v) => v.path !== path)].slice(0, MOST)));
  }, [kind, path, name]);
}
