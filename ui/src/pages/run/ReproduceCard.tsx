import type { RunDetail } from "../../api/runs";
import { t } from "../../i18n";
import { CopyButton } from "../../ui/CopyButton";
import { Link } from "../../ui/router";
import { runPath } from "../../url/routes";
import { useReproduction } from "./useReproduction";

/** How to start the run again, and plainly what was not recorded. */
export function ReproduceCard({ run }: { run: RunDetail }) {
  const { command, lines, commit, branch, dirty, patch, python, script, missing } = useReproduction(run);
  const clean = dirty === false && script === null;
  const code = lines.join("\n");
  const none = <span className="muted">{t.notRecorded}</span>;
  return (
    <section className="card">
      <header><h2>{t.reproduce}</h2>{command && <span className="right"><CopyButton text={command} label={t.copyCommand} /></span>}</header>
      {command && <div className="pre"><pre>{command}</pre></div>}
      {command && <p className="note">{t.reproduceAbout}</p>}
      {code && <header><h3>{t.byHand}</h3><span className="right"><CopyButton text={code} label={t.copyLines} /></span></header>}
      {code && <div className="pre"><pre>{code}</pre></div>}
      {missing.includes("commit") && <p className="note">{t.noCommit}</p>}
      {missing.includes("command") && <p className="note">{t.noCommand}</p>}
      {dirty && <p className={patch ? "note" : "note warn"}>{patch ? t.patchKept : t.patchMissing}</p>}
      {script && <p className="note warn">{t.scriptKept} <Link to={`${runPath(run.info.experiment_id, run.info.run_id, "artifacts")}?path=${encodeURIComponent(script)}`}><code>{script}</code></Link></p>}
      <dl className="kv">
        <div><dt>{t.code}</dt><dd>{commit ? <><span className={clean ? "good" : dirty === null && !script ? "muted" : "warn"}>{clean ? t.clean : dirty ? t.dirty : script ? t.scriptNotInGit : t.dirtyUnknown}</span> <code>{branch && branch !== "HEAD" ? `${branch}@` : ""}{commit.slice(0, 7)}</code></> : none}</dd></div>
        <div><dt>{t.environment}</dt><dd>{python ? t.pythonV(python) : none}</dd></div>
        <div><dt>{t.source}</dt><dd className="ell" title={run.tags["mlflow.source.name"]}>{run.tags["mlflow.source.name"] ?? none}</dd></div>
      </dl>
    </section>
  );
}
