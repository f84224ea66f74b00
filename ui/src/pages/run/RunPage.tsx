import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useMemo } from "react";
import { ApiError } from "../../api/http";
import { live } from "../../api/live";
import { listMedia } from "../../api/media";
import { locale, t } from "../../i18n";
import { formatCount } from "../../model/format";
import { pickMain, pickTrainLoss, isSystem } from "../../model/metrics";
import { isRunning } from "../../model/status";
import { useCommands } from "../../parts/commands";
import { useVisit } from "../../parts/recent";
import { experimentCrumbs, Top } from "../../parts/Top";
import { useExperiments, useRefresh, useRun } from "../../parts/queries";
import { useTitle } from "../../ui/hooks";
import { useKeys } from "../../ui/keys";
import { Link, navigate, usePlace } from "../../ui/router";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import { experimentPath, RUN_TABS, runPath, type RunTab } from "../../url/routes";
import "../../styles/run.css";
import { Overview } from "./Overview";
import { ParameterTable } from "./ParameterTable";
import { RunActions } from "./RunActions";
import { MetricsTab } from "./MetricsTab";
import { RunCharts } from "./RunCharts";
import { RunHead } from "./RunHead";
import { useNeighbours } from "./useNeighbours";
import { useRunMetrics } from "./useRunMetrics";

const LogsTab = lazy(() => import("./LogsTab"));
const CodeTab = lazy(() => import("./CodeTab"));
const ModelTab = lazy(() => import("./ModelTab"));
const MediaTab = lazy(() => import("./MediaTab"));
const ArtifactsTab = lazy(() => import("./ArtifactsTab"));

/** Media are found by listing folders, which costs more than a look into the store. */
const MEDIA_REST_MS = 5000;
const SHORT_ID = 8;

/** One run: what it was, how it went, how to get it back. */
export default function RunPage({ experimentId, runId, tab }: { experimentId: string; runId: string; tab: RunTab }) {
  const run = useRun(runId);
  const experiments = useExperiments("all");
  const metrics = useRunMetrics(experimentId, runId);
  const media = useQuery({ queryKey: ["media", runId], queryFn: ({ signal }) => listMedia(runId, signal), enabled: run.data !== undefined });
  useRefresh(["run", "table"], 250);
  useRefresh(["media"], MEDIA_REST_MS);
  useTitle(run.data?.info.name ?? "");
  const names = useMemo(() => ({ tabs: { overview: t.overview, parameters: t.parameters, metrics: t.metrics, system: t.systemTab, media: t.media, logs: t.logs, artifacts: t.artifacts, model: t.modelTab, code: t.codeTab } }), []);
  const main = useMemo(() => pickMain(metrics.keys.map((key) => ({ key, runs: 1 }))), [metrics.keys]);
  const loss = useMemo(() => pickTrainLoss(metrics.keys.map((key) => ({ key, runs: 1 }))), [metrics.keys]);
  const { from } = usePlace();
  const neighbours = useNeighbours(experimentId, runId, from);
  const go = (next: string | undefined) => next !== undefined && navigate(runPath(experimentId, next, tab), { from });
  useKeys({ j: () => go(neighbours?.next), k: () => go(neighbours?.previous) });
  useVisit("run", runPath(experimentId, runId), run.data?.info.name);
  useCommands(() => RUN_TABS.map((name) => ({ label: t.goTo(names.tabs[name]), icon: "right", run: () => navigate(runPath(experimentId, runId, name), { from }) })));
  const gone = !run.data && run.error instanceof ApiError && run.error.status === 404;
  // Nobody tells news of a run that is not there.
  useEffect(() => {
    if (gone) live.setScope({});
  }, [gone]);
  const experiment = experiments.data?.find((e) => e.experiment_id === experimentId);
  const crumbs = experimentCrumbs(experiment?.name ?? "…", experimentPath(experimentId));

  if (run.error && !run.data) {
    return <main id="main" className="page" tabIndex={-1}><Top crumbs={[...(experiment ? crumbs : crumbs.slice(0, 1)), { label: runId.slice(0, SHORT_ID) }]} live={!gone} /><div className="body">{gone ? <EmptyState title={t.noRun}><p>{t.goneText}</p>{experiment ? <Link to={experimentPath(experimentId)} className="btn">{t.goTo(experiment.name)}</Link> : <Link to="/experiments" className="btn">{t.toExperiments}</Link>}</EmptyState> : <ErrorBox error={run.error} onRetry={() => void run.refetch()} />}</div></main>;
  }
  const counts: Partial<Record<RunTab, number>> = { parameters: Object.keys(run.data?.params ?? {}).length, metrics: metrics.keys.filter((k) => !isSystem(k)).length, system: metrics.keys.filter(isSystem).length, media: media.data?.length };
  const place = neighbours ? <span className="muted num hide-s place" title={neighbours.filter ? t.filteredBy(neighbours.filter) : undefined}>{t.runOf(formatCount(neighbours.at + 1, locale), formatCount(neighbours.total, locale), neighbours.by ?? t.startTime)} <kbd title={t.next}>J</kbd> <kbd title={t.previous}>K</kbd></span> : null;
  return (
    <main id="main" className="page" tabIndex={-1}>
      <Top crumbs={[...crumbs, { label: run.data?.info.name ?? "" }]} running={run.data && isRunning(run.data.info) ? 1 : 0} after={place} alerts={{ run: runId }}>
        {run.data && <RunActions run={run.data} />}
      </Top>
      {run.data && <RunHead run={run.data} />}
      <nav className="tabs" aria-label={t.run}>
        {RUN_TABS.map((name) => (
          <Link key={name} to={runPath(experimentId, runId, name)} from={from} className={name === tab ? "on" : ""} aria-current={name === tab ? "page" : undefined}>
            {names.tabs[name]}{counts[name] ? <small>{counts[name]}</small> : null}
          </Link>
        ))}
      </nav>
      <div className="body">
        {!run.data && <SkeletonRows rows={12} />}
        {run.data && (
          <Suspense fallback={<SkeletonRows rows={8} />}>
            {tab === "overview" && <Overview run={run.data} metrics={metrics} main={main} loss={loss} />}
            {tab === "parameters" && <div className="rlay one"><ParameterTable params={run.data.params} large /></div>}
            {tab === "metrics" && <MetricsTab run={run.data} metrics={metrics} main={main} />}
            {tab === "system" && <RunCharts run={run.data} keys={metrics.keys.filter(isSystem)} main={null} empty={t.noSystem} hint={t.noSystemHint} place="system" />}
            {tab === "media" && <MediaTab run={run.data} />}
            {tab === "logs" && <LogsTab key={runId} runId={runId} running={isRunning(run.data.info)} />}
            {tab === "model" && <ModelTab run={run.data} />}
            {tab === "code" && <CodeTab run={run.data} />}
            {tab === "artifacts" && <ArtifactsTab runId={runId} />}
          </Suspense>
        )}
      </div>
    </main>
  );
}
