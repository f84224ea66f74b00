import { useMemo, useState } from "react";
import { locale, t } from "../../i18n";
import { formatCount } from "../../model/format";
import { NewExperimentDialog } from "../../parts/ExperimentDialogs";
import { ExperimentTable } from "../../parts/ExperimentTable";
import { useExperiments, useRefresh } from "../../parts/queries";
import { Top } from "../../parts/Top";
import { Button, Segment } from "../../ui/Button";
import { useMedia, useTitle } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { Link, useView } from "../../ui/router";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import { foldersOf, formatList, inFolder, parseList } from "../../model/folders";
import "../../styles/home.css";

/** All experiments, by folder, active or deleted. */
export default function ExperimentsPage() {
  const [view, change] = useView(parseList, formatList);
  const [creating, setCreating] = useState(false);
  const query = useExperiments(view.deleted ? "deleted" : "active");
  useRefresh(["experiments"]);
  useTitle(t.experiments);
  const all = useMemo(() => query.data ?? [], [query.data]);
  const folders = useMemo(() => foldersOf(all), [all]);
  const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = all
    .filter((e) => inFolder(e.name, view.folder) && words.every((w) => e.name.toLowerCase().includes(w)))
    .sort((a, b) => (b.last_run_time ?? b.creation_time) - (a.last_run_time ?? a.creation_time));
  const roomy = useMedia("(min-width: 1100px)");
  const link = (folder: string) => `/experiments${formatList({ ...view, folder })}`;
  return (
    <main id="main" className="page" tabIndex={-1}>
      <Top crumbs={view.folder ? [{ label: t.experiments, to: "/experiments" }, { label: view.folder.replaceAll("/", " / ") }] : [{ label: t.experiments }]} running={all.reduce((sum, e) => sum + e.running, 0)}>
        <Button icon="plus" onClick={() => setCreating(true)}>{t.newExperiment}</Button>
      </Top>
      <div className="lbar">
        <label className="search wide"><Icon name="search" small /><input value={view.search} placeholder={t.searchExperiments} aria-label={t.searchExperiments} onChange={(e) => change({ search: e.target.value }, true)} /></label>
        <span className="grow" />
        <Segment label={t.status} value={view.deleted ? "deleted" : "active"} onChange={(next) => change({ deleted: next === "deleted" })}
          options={[{ value: "active", label: t.activeView }, { value: "deleted", label: t.deletedView }]} />
      </div>
      <div className="body">
        <div className={`hlay folders${folders.length && !roomy ? "" : " one"}`}>
          {folders.length > 0 && !roomy && (
            <nav className="folderbar" aria-label={t.folder}>
              <Link to={link("")} className={view.folder === "" ? "on" : ""}><Icon name="flask" small /><span className="ell">{t.allFolders}</span><span className="num">{formatCount(all.length, locale)}</span></Link>
              {folders.map((f) => (
                <Link key={f.path} to={link(f.path)} className={view.folder === f.path ? "on" : ""} style={{ paddingLeft: 9 + 16 * f.depth }} aria-current={view.folder === f.path || undefined}>
                  <Icon name="folder" small /><span className="ell">{f.name}</span><span className="num">{formatCount(f.count, locale)}</span>
                </Link>
              ))}
            </nav>
          )}
          <section className="card">
            {query.error && !query.data && <ErrorBox error={query.error} onRetry={() => void query.refetch()} />}
            {query.isPending && <SkeletonRows rows={8} />}
            {query.data && shown.length > 0 && <ExperimentTable experiments={shown} />}
            {query.data && shown.length === 0 && <EmptyState title={view.search ? t.noExperimentMatches : view.deleted ? t.noDeleted : t.noExperimentMatches} />}
          </section>
        </div>
      </div>
      {creating && <NewExperimentDialog folder={view.folder} onClose={() => setCreating(false)} />}
    </main>
  );
}
