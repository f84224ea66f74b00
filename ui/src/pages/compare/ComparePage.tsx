import { useQueries } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { getRun, type RunDetail } from "../../api/runs";
import { Board } from "../../charts/Board";
import type { DrawnRun } from "../../charts/types";
import { t } from "../../i18n";
import { isSystem, pickMain } from "../../model/metrics";
import { MOST_DRAWN } from "../../model/slots";
import { isRunning } from "../../model/status";
import { useColumns, useExperiments, useRefresh, useTable } from "../../parts/queries";
import { experimentCrumbs, Top } from "../../parts/Top";
import { Button } from "../../ui/Button";
import { useTitle } from "../../ui/hooks";
import { useView } from "../../ui/router";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import { copyText } from "../../ui/toast";
import { formatCompare, parseCompare } from "../../url/compare";
import { DEFAULT_BOARD, type BoardView } from "../../url/board";
import { experimentPath } from "../../url/routes";
import "../../styles/compare.css";
import { SideBySide, type Compared } from "./SideBySide";

/** Runs side by side: what differs first, and their curves over one another. */
export default function ComparePage() {
  const [view, change] = useView(parseCompare, formatCompare);
  const [board, setBoard] = useState<BoardView>(DEFAULT_BOARD);
  const details = useQueries({ queries: view.runs.map((id) => ({ queryKey: ["run", id], queryFn: ({ signal }: { signal: AbortSignal }) => getRun(id, signal), staleTime: 5000, retry: 1 })) });
  const loaded = details.map((d) => d.data).filter((d): d is RunDetail => d !== undefined);
  const missing = details.filter((d) => d.isError).length;
  const waiting = details.some((d) => d.isPending);
  const experimentIds = useMemo(() => [...new Set(loaded.map((d) => d.info.experiment_id))].sort(), [loaded]);
  const experiments = useExperiments("all");
  const columns = useColumns(experimentIds);
  const keys = useMemo(() => columns.data?.metrics.map((m) => m.key) ?? [], [columns.data]);
  const wire = useMemo(() => keys.map((k) => `metrics.${k}`), [keys]);
  const table = useTable("compare", { experiment_ids: experimentIds, run_ids: view.runs, columns: wire, view: "all", max_results: Math.max(1, view.runs.length) }, wire.length > 0);
  useRefresh(["run", "table"], 2000);
  useTitle(t.compareRuns(view.runs.length));

  const base = view.base || loaded[0]?.info.run_id || "";
  const runs = useMemo<Compared[]>(() => {
    const metrics = new Map(table.data?.rows.map((r) => [r.run.run_id, r.metrics]));
    const list = loaded.map((detail, i) => ({ detail, metrics: metrics.get(detail.info.run_id) ?? {}, slot: i < MOST_DRAWN ? i : null }));
    return list.sort((a, b) => Number(b.detail.info.run_id === base) - Number(a.detail.info.run_id === base));
  }, [loaded, table.data, base]);
  const drawnText = JSON.stringify(runs.filter((r) => r.slot !== null).map<DrawnRun>((r) => ({ id: r.detail.info.run_id, name: r.detail.info.name, slot: r.slot, live: isRunning(r.detail.info) })));
  const drawn = useMemo(() => JSON.parse(drawnText) as DrawnRun[], [drawnText]);
  const logged = useMemo(() => keys.filter((key) => table.data?.rows.some((r) => r.metrics[key]?.last != null)), [keys, table.data]);
  const main = useMemo(() => pickMain(logged.map((key) => ({ key, runs: 1 }))), [logged]);
  const onBoard = useCallback((part: Partial<BoardView>) => setBoard((old) => ({ ...old, ...part })), []);
  const remove = (id: string) => change({ runs: view.runs.filter((r) => r !== id), base: view.base === id ? "" : view.base });

  const only = experimentIds.length === 1 ? experiments.data?.find((e) => e.experiment_id === experimentIds[0]) : undefined;
  const crumbs = only ? experimentCrumbs(only.name, experimentPath(only.experiment_id)) : [];
  const error = details.find((d) => d.error)?.error;
  return (
    <main id="main" className="page" tabIndex={-1}>
      <Top crumbs={[...crumbs, { label: view.runs.length ? t.compareRuns(view.runs.length) : t.compare }]} running={runs.filter((r) => isRunning(r.detail.info)).length} after={missing > 0 ? <span className="chip warn">{t.missingRuns(missing)}</span> : null}>
        {view.runs.length > 0 && <Button icon="share" className="hide-s" onClick={() => void copyText(location.href)}>{t.copyLink}</Button>}
      </Top>
      <div className="body">
        {view.runs.length === 0 && <EmptyState title={t.noneChosen}><p>{t.chooseRuns}</p></EmptyState>}
        {error && loaded.length === 0 && !waiting && <ErrorBox error={error} />}
        {waiting && loaded.length === 0 && <SkeletonRows rows={10} />}
        {runs.length > 0 && (
          <div className="clay">
            <SideBySide runs={runs} base={base} onBase={(id) => change({ base: id })} onRemove={remove} />
            {logged.length > 0 && (
              <section className="cw cmp-charts" aria-label={t.curves}>
                <Board keys={logged.filter((k) => !isSystem(k)).concat(logged.filter(isSystem))} main={main} drawn={drawn} view={board} change={onBoard} lead={null} syncKey="compare" />
              </section>
            )}
          </div>
        )}
      </div>
    </main>
  );
}
