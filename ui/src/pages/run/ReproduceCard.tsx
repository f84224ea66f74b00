import type { RunDetail } from "../../api/runs";
import { reproduction } from "../../model/answers";
import { t } from "../../i18n";
import { CopyButton } from "../../ui/CopyButton";

/** How to start the run again, and plainly what was not recorded. */
export function ReproduceCard({ run }: { run: RunDetail }) {
  const { lines, commit, branch, dirty, python, missing } = reproduction(run.tags);
  const code = lines.join("\n");
  const none = <span className="muted">{t.notRecorded}</span>;
  return (
    <section className="card">
      <header><h2>{t.reproduce}</h2>{code && <span className="right"><CopyButton text={code} label={t.copyCommand} /></span>}</header>
      {code && <div className="pre"><pre>{code}</pre></div>}
      {missing.includes("commit") && <p className="note">{t.noCommit}</p>}
      {missing.includes("command") && <p className="note">{t.noCommand}</p>}
      <dl className="kv">
        <div><dt>{t.code}</dt><dd>{commit ? <><span className={dirty ? "warn" : dirty === false ? "good" : "muted"}>{dirty === null ? t.dirtyUnknown : dirty ? t.dirty : t.clean}</span> <code>{branch && branch !== "HEAD" ? `${branch}@` : ""}{commit.slice(0, 7)}</code></> : none}</dd></div>
        <div><dt>{t.environment}</dt><dd>{python ? t.pythonV(python) : none}</dd></div>
        <div><dt>{t.source}</dt><dd className="ell">{run.tags["mlflow.source.name"] ?? none}</dd></div>
      </dl>
    </section>
  );
}
