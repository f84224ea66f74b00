import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { getLineage, type Lineage, type ModelVersion } from "../../api/models";
import { locale, t } from "../../i18n";
import { formatMoment } from "../../model/format";
import { CopyButton } from "../../ui/CopyButton";
import { Link } from "../../ui/router";
import { ErrorBox, SkeletonRows } from "../../ui/States";
import { experimentPath, runPath } from "../../url/routes";
import { StagePill } from "../../parts/StagePill";

const CONTEXT = "mlflow.data.context";

/** The chosen version: what it is, and where it comes from. */
export function VersionCard({ version }: { version: ModelVersion }) {
  const { name, version: number } = version;
  const lineage = useQuery({ queryKey: ["lineage", name, number], queryFn: ({ signal }) => getLineage(name, number, signal) });
  const address = `models:/${name}/${number}`;
  return (
    <aside className="mcol" data-testid="version-card">
      <section className="card">
        <header><h2>{t.vNumber(number)}</h2><span className="right"><StagePill stage={version.current_stage} /></span></header>
        <dl className="kv mkv">
          <Pair label={t.created}>{formatMoment(version.creation_timestamp, Date.now(), locale)}</Pair>
          {version.user_id && <Pair label={t.createdBy}>{version.user_id}</Pair>}
          {version.aliases && <Pair label={t.aliases}>{version.aliases.map((alias) => `@${alias}`).join(", ")}</Pair>}
          {version.tags?.map(({ key, value }) => <Pair key={key} label={key}>{value}</Pair>)}
        </dl>
        {version.description && <p className="padded">{version.description}</p>}
        <div className="padded"><div className="code"><pre>{address}</pre><CopyButton text={address} /></div></div>
      </section>
      <section className="card">
        <header><h2>{t.lineage}</h2></header>
        {lineage.isPending && <SkeletonRows rows={4} />}
        {lineage.error && <ErrorBox error={lineage.error} onRetry={() => void lineage.refetch()} />}
        {lineage.data && <Origin lineage={lineage.data} source={version.source} />}
      </section>
    </aside>
  );
}

function Origin({ lineage, source }: { lineage: Lineage; source: string }) {
  const { run } = lineage;
  return (
    <dl className="kv mkv">
      {run ? <Pair label={t.run}><Link className="rlink" to={runPath(run.experiment_id, run.run_id)}>{run.run_name}</Link></Pair> : <Pair label={t.run}><span className="muted">{t.noLineage}</span></Pair>}
      {run && <Pair label={t.experiment}><Link className="rlink" to={experimentPath(run.experiment_id)}>{lineage.experiment_name}</Link></Pair>}
      {run && <Pair label={t.files1}><Link className="rlink" to={runPath(run.experiment_id, run.run_id, "artifacts")}>{t.artifacts}</Link></Pair>}
      {lineage.git_commit && <Pair label={t.commitOf}><code title={lineage.git_commit}>{lineage.git_commit.slice(0, 10)}</code>{lineage.git_dirty === "true" && <span className="muted"> {t.dirty}</span>}</Pair>}
      {lineage.git_branch && <Pair label={t.branch}>{lineage.git_branch}</Pair>}
      {lineage.git_repository && <Pair label={t.repository}>{lineage.git_repository}</Pair>}
      {lineage.datasets?.map(({ dataset, tags }) => (
        <Pair key={dataset.name + dataset.digest} label={tags?.find(({ key }) => key === CONTEXT)?.value ?? t.dataset}>{dataset.name} <code className="muted">{dataset.digest}</code></Pair>
      ))}
      {lineage.model_id && <Pair label={t.loggedModel}><span title={lineage.model_id}>{lineage.logged_model_name || lineage.model_id}</span></Pair>}
      <Pair label={t.source}><code title={source}>{source}</code></Pair>
    </dl>
  );
}

function Pair({ label, children }: { label: string; children: ReactNode }) {
  return <div><dt>{label}</dt><dd className="ell">{children}</dd></div>;
}
