import { useCallback, useMemo, useState } from "react";
import type { RunDetail } from "../../api/runs";
import { Board } from "../../charts/Board";
import { ChartBar } from "../../charts/ChartBar";
import type { ChartSettings, DrawnRun } from "../../charts/types";
import { matchesGlob } from "../../model/metrics";
import { isRunning } from "../../model/status";
import { EmptyState } from "../../ui/States";
import { useView } from "../../ui/router";
import { formatExperiment, parseExperiment } from "../../url/experiment";

/** The run as the charts want it. */
export function useDrawn({ info }: RunDetail): DrawnRun[] {
  const live = isRunning(info);
  return useMemo(() => [{ id: info.run_id, name: info.name, slot: 0, live }], [info.run_id, info.name, live]);
}

/** All charts of one run, by namespace. */
export function RunCharts({ run, keys, main, empty }: { run: RunDetail; keys: string[]; main: string | null; empty: string }) {
  const [view, change] = useView(parseExperiment, formatExperiment);
  const [search, setSearch] = useState("");
  const drawn = useDrawn(run);
  const settings = useMemo<ChartSettings>(() => ({ x: view.x, smooth: view.smooth, zoom: view.zoom }), [view.x, view.smooth, view.zoom]);
  const onSettings = useCallback((next: Partial<ChartSettings>) => change(next, true), [change]);
  if (!keys.length) return <EmptyState title={empty} />;
  return (
    <div className="cw">
      <ChartBar count={keys.filter((key) => matchesGlob(key, search)).length} search={search} settings={settings} onSearch={setSearch} onChange={onSettings} />
      <Board keys={keys} main={main} drawn={drawn} settings={settings} logKeys={view.ylog} search={search} lead={run.info.run_id} syncKey="run" onZoom={(zoom) => change({ zoom }, true)}
        onLog={(key, log) => change({ ylog: log ? [...view.ylog, key] : view.ylog.filter((k) => k !== key) }, true)} />
    </div>
  );
}
