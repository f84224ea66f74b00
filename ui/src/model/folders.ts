export interface ListView {
  folder: string;
  search: string;
  deleted: boolean;
}

export function parseList(search: string): ListView {
  const params = new URLSearchParams(search);
  return { folder: params.get("folder") ?? "", search: params.get("q") ?? "", deleted: params.get("view") === "deleted" };
}

export function formatList(view: ListView): string {
  const params = new URLSearchParams();
  if (view.folder) params.set("folder", view.folder);
  if (view.search) params.set("q", view.search);
  if (view.deleted) params.set("view", "deleted");
  const text = params.toString().replaceAll("%2F", "/");
  return text ? `?${text}` : "";
}

export const inFolder = (name: string, folder: string) => folder === "" || name.startsWith(`${folder}/`);

/** True for the folder itself and for all that is in it. */
export const isWithin = (name: string, folder: string) => name === folder || inFolder(name, folder);

/** The folders that a folder lies in, from the outermost on. */
export const parentsOf = (folder: string): string[] => [...folder.matchAll(/\//g)].map((slash) => folder.slice(0, slash.index));

export interface Folder {
  path: string;
  name: string;
  depth: number;
  /** Experiments in it and below it. */
  count: number;
}

/** The folders that slashes in names make, parents before children, by name. */
export function foldersOf(experiments: readonly { name: string }[]): Folder[] {
  const counts = new Map<string, number>();
  for (const { name } of experiments) {
    const parts = name.split("/");
    for (let i = 1; i < parts.length; i++) {
      const path = parts.slice(0, i).join("/");
      counts.set(path, (counts.get(path) ?? 0) + 1);
    }
  }
  return [...counts].map(([path, count]) => {
    const parts = path.split("/");
    return { path, name: parts[parts.length - 1]!, depth: parts.length - 1, count };
  }).sort((a, b) => (a.path + "/").localeCompare(b.path + "/"));
}
