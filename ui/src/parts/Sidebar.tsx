import { foldersOf, formatList, inFolder, parseList } from "../model/folders";
import { formatCount } from "../model/format";
import { locale, t } from "../i18n";
import { Icon } from "../ui/Icon";
import { Link, usePlace } from "../ui/router";
import { experimentPath } from "../url/routes";
import { useExperiments } from "./queries";

const MOST = 40;

/** The folders of the experiments' names, and the experiments directly below each, for the wide rail. */
export function FolderTree() {
  const { path, search } = usePlace();
  const experiments = useExperiments("active").data ?? [];
  const chosen = path === "/experiments" ? parseList(search).folder : "";
  const folders = foldersOf(experiments);
  if (!folders.length) return null;
  return (
    <>
      <h2 className="railh">{t.folders}</h2>
      <div className="tree">
        {folders.slice(0, MOST).map((folder) => {
          const runs = experiments.filter((e) => inFolder(e.name, folder.path));
          const own = runs.filter((e) => !e.name.slice(folder.path.length + 1).includes("/"));
          const indent = { paddingLeft: 9 + 16 * folder.depth };
          return (
            <div key={folder.path}>
              <Link className={`nav${chosen === folder.path ? " on" : ""}`} style={indent} to={`/experiments${formatList({ folder: folder.path, search: "", deleted: false })}`}>
                <Icon name="folder" small /><span className="ell">{folder.name}</span><span className="ct">{formatCount(runs.reduce((sum, e) => sum + e.runs, 0), locale)}</span>
              </Link>
              {own.slice(0, MOST).map((e) => (
                <Link key={e.experiment_id} className="nav" style={{ paddingLeft: 26 + 16 * folder.depth }} to={experimentPath(e.experiment_id)} title={e.name}>
                  <span className="ell">{e.name.slice(folder.path.length + 1)}</span><span className="ct">{formatCount(e.runs, locale)}</span>
                </Link>
              ))}
            </div>
          );
        })}
      </div>
    </>
  );
}
