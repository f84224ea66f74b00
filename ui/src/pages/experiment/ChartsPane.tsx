import { useCallback, useDeferredValue, useMemo } from "react";
import type { Columns, Row } from "../../api/table";
import { slotOf } from "../../model/slots";
import { isRunning } from "../../model/status";
import { t } from "../../i18n";
import { Board } from "../../charts/Board";
import { ChartBar } from "../../charts/ChartBar";
import type { ChartSettings, DrawnRun } from "../../charts/types";
import { EmptyState, SkeletonRows } from "../../ui/States";
import { matchesGlob } from "../../model/metrics";
import type { ExperimentView } from "../../url/experiment";
import type { MainMetric } from "./useExperiment";

interface Props {
  view: ExperimentView;
  change: (change: Partial<ExperimentView>, replace?: boolean) => void;
  columns: Columns | undefined;
  main: MainMetric;
  rows: Row[];
  slots: string[];
  lead: string | null;
  ready: boolean;
}

const MOST_CONTEXT = 60;

/** A list that keeps its identity while its content is the same, so that charts are left alone. */
function useSame<T>(list: T[]): T[] {
  const text = JSON.stringify(list);
  return useMemo(() => JSON.parse(text) as T[], [text]);
}

/** The charts of the drawn runs; the other runs of the filter stand behind the main one in grey. */
export function ChartsPane({ view, change, columns, main, rows, slots, lead, ready }: Props) {
  const names = useMemo(() => new Map(rows.map((r) => [r.run.run_id, r.run])), [rows]);
  const drawn = useSame<DrawnRun>(slots.flatMap((id, slot) => {
    const run = names.get(id);
    return id === "" ? [] : [{ id, name: run?.name ?? id.slice(0, 8), slot, live: run ? isRunning(run) : false }];
  }));
  const context = useSame<DrawnRun>(rows.filter((r) => slotOf(slots, r.run.run_id) === null).slice(0, MOST_CONTEXT).map((r) => ({ id: r.run.run_id, name: r.run.name, slot: null, live: false })));
  const keys = useMemo(() => columns?.metrics.map((m) => m.key) ?? [], [columns]);
  const search = useDeferredValue(view.charts);
  const settings = useMemo<ChartSettings>(() => ({ x: view.x, smooth: view.smooth, zoom: view.zoom }), [view.x, view.smooth, view.zoom]);
  const onSettings = useCallback((next: Partial<ChartSettings>) => change(next, true), [change]);
  const onZoom = useCallback((zoom: [number, number] | null) => change({ zoom: zoom && (view.x === "step" ? [Math.floor(zoom[0]), Math.ceil(zoom[1])] : zoom) }, true), [change, view.x]);
  const onLog = (key: string, log: boolean) => change({ ylog: log ? [...view.ylog, key] : view.ylog.filter((k) => k !== key) }, true);
  const matching = useMemo(() => keys.filter((key) => matchesGlob(key, search)).length, [keys, search]);
  if (!columns || !ready) return <div className="cw"><SkeletonRows rows={8} /></div>;
  return (
    <div className="cw">
      <ChartBar count={matching} search={view.charts} settings={settings} onSearch={(charts) => change({ charts }, true)} onChange={onSettings} />
      {drawn.length === 0 && context.length === 0 && keys.length > 0
        ? <EmptyState title={t.noDrawn} />
        : <Board keys={keys} main={main.key} drawn={drawn} context={context} settings={settings} logKeys={view.ylog} search={search} lead={lead} lower={main.lower} syncKey="experiment" onZoom={onZoom} onLog={onLog} />}
    </div>
  );
}
