import { useMemo, useState } from "react";
import { locale, t } from "../../i18n";
import { addUp } from "../../model/days";
import { formatCount } from "../../model/format";
import { EmptyStart } from "../../parts/EmptyStart";
import { NewExperimentDialog } from "../../parts/ExperimentDialogs";
import { ExperimentTable, type MoreColumn } from "../../parts/ExperimentTable";
import { useExperiments, useRefresh, useTable } from "../../parts/queries";
import { Top } from "../../parts/Top";
import { Button } from "../../ui/Button";
import { useTitle } from "../../ui/hooks";
import { Link } from "../../ui/router";
import { ErrorBox, SkeletonRows } from "../../ui/States";
import "../../styles/home.css";
import { BestCell } from "./BestCell";
import { DayBars, FortnightCard } from "./DayBars";
import { LatelyTable } from "./LatelyTable";
import { LookList } from "./LookList";
import { ModelsList } from "./ModelsList";
import { RunningCard } from "./RunningCard";
import { useActivity } from "./useActivity";
import { useLook } from "./useLook";

const SHOWN = 8;
const RUNNING = 9;
const LATEST = 60;
/** What changes slowly is asked for again at most this often. */
const CALM_MS = 5000;
const DAYS_WIDTH = 92;
const NO_TAGS = {};

/** What runs now, the experiments, what finished lately and what failed. */
export default function HomePage() {
  const [creating, setCreating] = useState(false);
  const experiments = useExperiments("active");
  const all = useMemo(() => experiments.data ?? [], [experiments.data]);
  const busy = useMemo(() => [...all].sort((a, b) => (b.last_run_time ?? 0) - (a.last_run_time ?? 0) || b.creation_time - a.creation_time), [all]);
  const ids = busy.slice(0, 200).map((e) => e.experiment_id);
  const runs = all.reduce((sum, e) => sum + e.runs, 0);
  const running = all.reduce((sum, e) => sum + e.running, 0);
  const now = useTable("running", { experiment_ids: busy.filter((e) => e.running).map((e) => e.experiment_id), filter: "attributes.status = 'RUNNING'", max_results: RUNNING }, running > 0);
  const latest = useTable("latest", { experiment_ids: ids, filter: "attributes.status != 'RUNNING'", order_by: ["attributes.start_time DESC"], max_results: LATEST }, ids.length > 0 && runs > 0);
  const { since, found: days } = useActivity(runs > 0);
  useRefresh(["experiments", "table"]);
  useRefresh(["best", "activity"], CALM_MS);
  useTitle(t.home);
  const names = useMemo(() => new Map(all.map((e) => [e.experiment_id, e.name])), [all]);
  const tags = useMemo(() => new Map(all.map((e) => [e.experiment_id, e.tags])), [all]);
  const folders = new Set(all.filter((e) => e.name.includes("/")).map((e) => e.name.split("/")[0])).size;
  const rows = latest.data?.rows ?? [];
  const finished = rows.filter((r) => r.run.status === "FINISHED").slice(0, SHOWN);
  const look = useLook(busy);
  const live = running > 0 ? (now.data?.rows ?? []).filter((r) => r.run.status === "RUNNING") : [];
  const started = runs > 0;
  const counted = Object.values(days ?? {});
  const more: MoreColumn[] = [
    { name: t.bestHead, className: "best hide-s ell", cell: (e) => <BestCell experimentId={e.experiment_id} runs={e.runs - e.running} /> },
    { name: t.daysHead, className: "days hide-s", cell: (e) => days && <DayBars since={since} runs={days[e.experiment_id]?.runs ?? []} width={DAYS_WIDTH} height={18} /> },
  ];
  return (
    <main id="main" className="page" tabIndex={-1}>
      <Top crumbs={[{ label: t.home }]} running={running}>
        <Button icon="plus" onClick={() => setCreating(true)}>{t.newExperiment}</Button>
      </Top>
      <div className="body">
        {experiments.error && !experiments.data && <ErrorBox error={experiments.error} onRetry={() => void experiments.refetch()} />}
        {experiments.isPending && <SkeletonRows rows={10} />}
        {experiments.data && !started && <div className="hlay one"><EmptyStart />{all.length > 0 && <section className="card"><ExperimentTable experiments={busy} /></section>}</div>}
        {experiments.data && started && (
          <div className="hlay">
            {live.length > 0 && (
              <section className="span">
                <div className="hd"><h2>{t.runningNow}</h2><span className="muted num">{t.runs(running)}</span></div>
                <div className="three">{live.map((row) => <RunningCard key={row.run.run_id} row={row} experiment={names.get(row.run.experiment_id) ?? ""} tags={tags.get(row.run.experiment_id) ?? NO_TAGS} />)}</div>
              </section>
            )}
            <div className="col">
              <section>
                <div className="hd"><h2>{t.experiments}</h2><span className="muted num">{formatCount(all.length, locale)}{folders > 0 && t.inFolders(folders)}, {t.runs(runs)}</span><Link to="/experiments">{t.allExperiments}</Link></div>
                <div className="card"><ExperimentTable experiments={busy.slice(0, SHOWN)} more={more} /></div>
              </section>
              {finished.length > 0 && <LatelyTable rows={finished} names={names} />}
            </div>
            <div className="col">
              <LookList {...look} names={names} />
              {days && <FortnightCard since={since} runs={addUp(counted.map((a) => a.runs))} failed={addUp(counted.map((a) => a.failed))} />}
              <ModelsList />
            </div>
          </div>
        )}
      </div>
      {creating && <NewExperimentDialog onClose={() => setCreating(false)} />}
    </main>
  );
}
