import { useMemo } from "react";
import type { Experiment } from "../api/experiments";
import { foldersOf, formatList, inFolder, isWithin, parentsOf, parseList, type Folder } from "../model/folders";
import { formatCount } from "../model/format";
import { locale, t } from "../i18n";
import { useStored } from "../ui/hooks";
import { Icon } from "../ui/Icon";
import { Link, usePlace } from "../ui/router";
import { experimentPath } from "../url/routes";
import { useExperiments } from "./queries";

/** So many lines stand open at once; of more only the folders that lead to the page in view. */
const FEW = 40;
/** So many experiments of a folder are listed; the page of the folder has all of them. */
const MOST = 40;
const KEY = "logbuch.folders";

const folderPath = (folder: string) => `/experiments${formatList({ folder, search: "", deleted: false })}`;

/** Which folders somebody has opened (true) or closed (false) by hand, as this browser keeps it. */
function parseKept(text: string): Record<string, boolean> {
  try {
    return JSON.parse(text) as Record<string, boolean>;
  } catch {
    return {};
  }
}

function Branch({ folder, experiments, chosen, open, onToggle }: { folder: Folder; experiments: readonly Experiment[]; chosen: boolean; open: boolean; onToggle: () => void }) {
  const inside = experiments.filter((e) => inFolder(e.name, folder.path));
  const own = inside.filter((e) => !e.name.slice(folder.path.length + 1).includes("/"));
  const indent = 16 * folder.depth;
  return (
    <div>
      <div className="branch" style={{ paddingLeft: indent }}>
        <button type="button" className="twig" aria-expanded={open} aria-label={open ? t.closeFolder(folder.path) : t.openFolder(folder.path)} onClick={onToggle}><Icon name={open ? "down" : "right"} small /></button>
        <Link className={`nav${chosen ? " on" : ""}`} to={folderPath(folder.path)} title={folder.path}>
          <span className="ell">{folder.name}</span><span className="ct">{formatCount(inside.reduce((sum, e) => sum + e.runs, 0), locale)}</span>
        </Link>
      </div>
      {open && own.slice(0, MOST).map((e) => (
        <Link key={e.experiment_id} className="nav" style={{ paddingLeft: 26 + indent }} to={experimentPath(e.experiment_id)} title={e.name}>
          <span className="ell">{e.name.slice(folder.path.length + 1)}</span><span className="ct">{formatCount(e.runs, locale)}</span>
        </Link>
      ))}
      {open && own.length > MOST && <Link className="nav" style={{ paddingLeft: 26 + indent }} to={folderPath(folder.path)}>{t.moreInFolder(formatCount(own.length - MOST, locale))}</Link>}
    </div>
  );
}

/** The folders of the experiments' names, and the experiments directly below each, for the wide rail. */
export function FolderTree() {
  const { path, search } = usePlace();
  const experiments = useExperiments("active").data;
  const [text, keep] = useStored(KEY, "{}");
  const kept = useMemo(() => parseKept(text), [text]);
  const folders = useMemo(() => foldersOf(experiments ?? []), [experiments]);
  const chosen = path === "/experiments" ? parseList(search).folder : "";
  const here = chosen || (experiments?.find((e) => experimentPath(e.experiment_id) === path)?.name ?? "");
  if (!experiments || !folders.length) return null;
  const few = folders.length + experiments.length <= FEW;
  const isOpen = (folder: string) => kept[folder] ?? (few || isWithin(here, folder));
  return (
    <>
      <h2 className="railh">{t.folders}</h2>
      <div className="tree">
        {folders.filter((folder) => parentsOf(folder.path).every(isOpen)).map((folder) => (
          <Branch key={folder.path} folder={folder} experiments={experiments} chosen={chosen === folder.path} open={isOpen(folder.path)}
            onToggle={() => keep(JSON.stringify({ ...kept, [folder.path]: !isOpen(folder.path) }))} />
        ))}
      </div>
    </>
  );
}
