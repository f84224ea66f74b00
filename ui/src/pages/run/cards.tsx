import { useQuery } from "@tanstack/react-query";
import { listArtifacts } from "../../api/artifacts";
import type { RunDetail } from "../../api/runs";
import { formatBytes, formatDuration } from "../../model/format";
import { durationOf } from "../../model/status";
import { locale, t } from "../../i18n";
import { StatusGlyph } from "../../parts/Status";
import { useTable } from "../../parts/queries";
import { useNow } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/router";
import { runPath } from "../../url/routes";
import { ownTags } from "./RunHead";

const SHOWN = 8;

export function ArtifactsCard({ run }: { run: RunDetail }) {
  const { run_id: id, experiment_id } = run.info;
  const files = useQuery({ queryKey: ["artifacts", id, ""], queryFn: ({ signal }) => listArtifacts(id, "", signal) });
  const list = files.data ?? [];
  const tab = runPath(experiment_id, id, "artifacts");
  return (
    <section className="card">
      <header><h2>{t.artifacts}</h2>{list.length > 0 && <span className="muted num">{t.files(list.length)}</span>}</header>
      {files.data && list.length === 0 && <p className="note">{t.noArtifacts}</p>}
      {files.error && <p className="note bad">{files.error.message}</p>}
      <div className="list">
        {list.slice(0, SHOWN).map((file) => (
          <Link key={file.path} className="li" to={`${tab}?path=${encodeURIComponent(file.path)}`}>
            <span className="muted"><Icon name={file.is_dir ? "folder" : "file"} small /></span>
            <span className="ell grow">{file.path}</span>
            {!file.is_dir && <span className="muted num">{formatBytes(file.file_size, locale)}</span>}
          </Link>
        ))}
        {list.length > SHOWN && <Link className="li muted" to={tab}>{t.andMore(list.length - SHOWN)}</Link>}
      </div>
    </section>
  );
}

/** Runs that name this one as their parent; nothing when there are none. */
export function ChildrenCard({ run }: { run: RunDetail }) {
  const now = useNow();
  const { run_id, experiment_id } = run.info;
  const children = useTable("children", { experiment_ids: [experiment_id], filter: `tags.\`mlflow.parentRunId\` = '${run_id}'`, max_results: 50 });
  const rows = children.data?.rows ?? [];
  if (!rows.length) return null;
  return (
    <section className="card">
      <header><h2>{t.children}</h2><span className="muted num">{children.data!.total}</span></header>
      <div className="list">
        {rows.map(({ run: child }) => (
          <Link key={child.run_id} className="li" to={runPath(child.experiment_id, child.run_id)}>
            <StatusGlyph status={child.status} /><span className="ell grow">{child.name}</span><span className="muted num">{formatDuration(durationOf(child, now))}</span>
          </Link>
        ))}
      </div>
    </section>
  );
}

export function DatasetsCard({ run }: { run: RunDetail }) {
  if (!run.datasets.length) return null;
  return (
    <section className="card">
      <header><h2>{t.datasets}</h2></header>
      <div className="list">
        {run.datasets.map((d) => (
          <div key={d.name + d.digest + d.context} className="li"><span className="ell grow">{d.name}</span>{d.context && <span className="chip small">{d.context}</span>}<code className="muted">{d.digest}</code></div>
        ))}
      </div>
    </section>
  );
}

export function TagsCard({ run }: { run: RunDetail }) {
  const own = ownTags(run.tags);
  if (!own.length) return null;
  return (
    <section className="card params">
      <header><h2>{t.tags}</h2><span className="muted num">{own.length}</span></header>
      <dl>{own.map(([key, value]) => <div key={key} className="pr"><dt className="ell" title={key}>{key}</dt><dd title={value}><span className="ell">{value}</span></dd></div>)}</dl>
    </section>
  );
}
