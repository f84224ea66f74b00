import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { artifactHref, listArtifacts, readArtifact } from "../../api/artifacts";
import { getRun, type RunDetail } from "../../api/runs";
import type { Row } from "../../api/table";
import { diffLines, type DiffLine } from "../../model/compare";
import { t } from "../../i18n";
import { Icon } from "../../ui/Icon";
import { MenuButton } from "../../ui/Menu";
import { EmptyState, SkeletonRows } from "../../ui/States";

const MOST_BYTES = 400_000;
const FOLDER = "logbuch";
const PATCH = `${FOLDER}/diff.patch`;
const PACKAGES = `${FOLDER}/requirements.txt`;
const SIGNS: Record<DiffLine["kind"], string> = { same: " ", out: "−", in: "+" };
const AROUND = 2;

/** The changed lines with a few around them; longer equal parts become one line with their count. */
function Lines({ lines }: { lines: DiffLine[] }) {
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - AROUND), i + AROUND + 1).some((l) => l.kind !== "same"));
  const out: React.ReactNode[] = [];
  for (let i = 0; i < lines.length; ) {
    if (near[i]) {
      const { kind, text } = lines[i]!;
      out.push(<div key={i} className={`dl ${kind}`}><i aria-hidden="true">{SIGNS[kind]}</i><span>{text || " "}</span></div>);
      i++;
      continue;
    }
    let end = i;
    while (end < lines.length && !near[end]) end++;
    out.push(<div key={i} className="dl skip muted">{t.unchangedLines(end - i)}</div>);
    i = end;
  }
  return <div className="dlines" tabIndex={0} role="region" aria-label={t.partDiff}>{out}</div>;
}

function TextDiff({ title, before, after }: { title: string; before: string; after: string }) {
  const lines = useMemo(() => diffLines(before, after), [before, after]);
  return (
    <section className="card dcard" data-testid="text-diff">
      <header><h2>{title}</h2></header>
      {lines === null ? <p className="muted none">{t.tooLong}</p> : lines.every((l) => l.kind === "same") ? <p className="muted none">{t.equalHere}</p> : <Lines lines={lines} />}
    </section>
  );
}

/** A file that runs keep beside them, from one run to another. */
function FileDiff({ title, path, from, to }: { title: string; path: string; from: RunDetail; to: RunDetail }) {
  const found = useQueries({ queries: [from, to].map(({ info }) => ({
    queryKey: ["kept", info.run_id, path], staleTime: 60_000, retry: 1,
    queryFn: async ({ signal }: { signal: AbortSignal }) => {
      const files = await listArtifacts(info.run_id, FOLDER, signal);
      return files.some((f) => f.path === path) ? readArtifact(info.run_id, path, MOST_BYTES, signal) : null;
    },
  })) });
  const [a, b] = found;
  if (a!.isPending || b!.isPending) return <section className="card dcard"><header><h2>{title}</h2></header><SkeletonRows rows={3} /></section>;
  const [before, after] = [a!.data ?? null, b!.data ?? null];
  if (before !== null && after !== null) return <TextDiff title={title} before={before} after={after} />;
  const owner = before !== null ? from : after !== null ? to : null;
  return (
    <section className="card dcard" data-testid="text-diff">
      <header><h2>{title}</h2></header>
      <p className="muted none">{owner ? <>{t.onlyOne(owner.info.name)} <a href={artifactHref(owner.info.run_id, path, true)} download aria-label={t.downloadAll} title={t.downloadAll}><Icon name="download" small /></a></> : t.notKept(path)}</p>
    </section>
  );
}

const asText = (record: Record<string, string>) => Object.entries(record).sort(([a], [b]) => a.localeCompare(b)).map(([k, v]) => `${k} = ${v}`).join("\n");

/** What two runs were made of: parameters, commit and command, uncommitted changes, packages. */
export function ConfigDiff({ rows, base }: { rows: Row[]; base: string }) {
  const [chosen, setChosen] = useState<{ from: string; to: string }>({ from: "", to: "" });
  const ids = rows.map((r) => r.run.run_id);
  const from = ids.includes(chosen.from) ? chosen.from : ids.includes(base) ? base : ids[0];
  const to = ids.includes(chosen.to) && chosen.to !== from ? chosen.to : ids.find((id) => id !== from);
  const get = (id: string | undefined) => ({ queryKey: ["run", id], queryFn: ({ signal }: { signal: AbortSignal }) => getRun(id!, signal), enabled: id !== undefined, staleTime: 5000 });
  const [a, b] = [useQuery(get(from)), useQuery(get(to))];
  if (from === undefined || to === undefined) return <EmptyState title={t.needTwo} />;
  const pick = (label: string, value: string, set: (id: string) => void) => (
    <MenuButton label={t.pickRun(label)} align="start" icon="down" entries={() => rows.slice(0, 200).map((r) => ({ label: r.run.name, checked: r.run.run_id === value, onSelect: () => set(r.run.run_id) }))}>
      <span className="muted">{label}</span> <span className="ell sortname">{rows.find((r) => r.run.run_id === value)?.run.name}</span>
    </MenuButton>
  );
  const about = ({ tags }: RunDetail) => asText(Object.fromEntries(["mlflow.source.git.commit", "mlflow.source.git.branch", "logbuch.git.dirty", "logbuch.command", "mlflow.source.name", "logbuch.python", "logbuch.host"].flatMap((k) => (tags[k] ? [[k.replace(/^(mlflow|logbuch)\./, ""), tags[k]] as const] : []))));
  return (
    <div className="dpage" data-testid="config-diff">
      <div className="row">{pick(t.diffFrom, from, (id) => setChosen({ from: id, to }))}{pick(t.diffTo, to, (id) => setChosen({ from, to: id }))}</div>
      {!a.data || !b.data ? <SkeletonRows rows={8} /> : (
        <div className="dgrid">
          <TextDiff title={t.configDiff} before={asText(a.data.params)} after={asText(b.data.params)} />
          <TextDiff title={t.commitAndCommand} before={about(a.data)} after={about(b.data)} />
          <FileDiff title={t.codeDiff} path={PATCH} from={a.data} to={b.data} />
          <FileDiff title={t.packagesDiff} path={PACKAGES} from={a.data} to={b.data} />
        </div>
      )}
    </div>
  );
}
