import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { readArtifact } from "../../api/artifacts";
import type { RunDetail } from "../../api/runs";
import { formatCount } from "../../model/format";
import { locale, t } from "../../i18n";
import { CopyButton } from "../../ui/CopyButton";
import { Icon } from "../../ui/Icon";
import { ErrorBox, SkeletonRows } from "../../ui/States";
import { DiffView } from "./DiffView";
import { ReproduceCard } from "./ReproduceCard";
import { useReproduction } from "./useReproduction";

const PATCH = "logbuch/diff.patch";
const PACKAGES = "logbuch/requirements.txt";
const MOST_BYTES = 4_000_000;

function useKept(runId: string, path: string, enabled: boolean) {
  return useQuery({ queryKey: ["artifact-text", runId, path], enabled, queryFn: ({ signal }) => readArtifact(runId, path, MOST_BYTES, signal) });
}

/** What the code was: the commit and, beside it, what had not been committed. */
function Changes({ run }: { run: RunDetail }) {
  const { commit, dirty, patch } = useReproduction(run);
  const text = useKept(run.info.run_id, PATCH, patch);
  return (
    <section className="card">
      <header><h2>{t.uncommitted}</h2>{text.data !== undefined && <span className="right"><CopyButton text={text.data} /></span>}</header>
      {!commit && <p className="note">{t.noCommit}</p>}
      {commit && dirty === false && <p className="note">{t.cleanTree}</p>}
      {commit && dirty !== false && !patch && <p className="note">{t.noPatch}</p>}
      {text.isLoading && <SkeletonRows rows={4} />}
      {text.error && <ErrorBox error={text.error} onRetry={() => void text.refetch()} />}
      {text.data !== undefined && <DiffView text={text.data} />}
    </section>
  );
}

/** "torch==2.1" as a name and a version; other lines as they are. */
function packageOf(line: string): [name: string, version: string] {
  const [name = "", version = ""] = line.split(/==| @ /);
  return [name.trim(), version.trim()];
}

function Packages({ run }: { run: RunDetail }) {
  const { packages } = useReproduction(run);
  const [search, setSearch] = useState("");
  const text = useKept(run.info.run_id, PACKAGES, packages);
  const lines = (text.data ?? "").split("\n").filter((line) => line.trim() && !line.startsWith("#"));
  const found = lines.filter((line) => line.toLowerCase().includes(search.toLowerCase()));
  return (
    <section className="card params">
      <header><h2>{t.packages}</h2>{lines.length > 0 && <span className="muted num">{formatCount(lines.length, locale)}</span>}{text.data !== undefined && <span className="right"><CopyButton text={text.data} /></span>}</header>
      {!packages && <p className="note">{t.noPackages}</p>}
      {text.error && <ErrorBox error={text.error} onRetry={() => void text.refetch()} />}
      {lines.length > 12 && <div className="padded"><label className="search wide"><Icon name="search" small /><input value={search} aria-label={t.searchPackages} placeholder={t.searchPackages} spellCheck={false} onChange={(e) => setSearch(e.target.value)} /></label></div>}
      <dl className="packages">{found.map((line) => { const [name, version] = packageOf(line); return <div key={line} className="pr"><dt className="ell">{name}</dt><dd className="ell" title={version}>{version}</dd></div>; })}</dl>
    </section>
  );
}

/** Commit, changes, command and packages: with what code and in what environment the run was made. */
export default function CodeTab({ run }: { run: RunDetail }) {
  return (
    <div className="rlay kept">
      <div className="colm"><Changes run={run} /></div>
      <div className="colm"><ReproduceCard run={run} /><Packages run={run} /></div>
    </div>
  );
}
