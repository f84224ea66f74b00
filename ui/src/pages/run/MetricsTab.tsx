import { useMemo } from "react";
import type { RunDetail } from "../../api/runs";
import { t } from "../../i18n";
import { isSystem } from "../../model/metrics";
import { isRunning } from "../../model/status";
import { Segment } from "../../ui/Button";
import { usePlace, navigate } from "../../ui/router";
import { MetricsTable } from "./MetricsTable";
import { RunCharts } from "./RunCharts";
import type { RunMetrics } from "./useRunMetrics";

interface Props {
  run: RunDetail;
  metrics: RunMetrics;
  main: string | null;
}

const AS_TABLE = "?as=table";

/** All metrics of a run but those of the machine, as charts or as a table. */
export function MetricsTab({ run, metrics, main }: Props) {
  const { path, search, from } = usePlace();
  const keys = useMemo(() => metrics.keys.filter((k) => !isSystem(k)), [metrics.keys]);
  const table = search === AS_TABLE;
  const show = (as: "charts" | "table") => navigate(path + (as === "table" ? AS_TABLE : ""), { from });
  return (
    <>
      {keys.length > 0 && (
        <div className="asbar">
          <Segment label={t.metrics} value={table ? "table" : "charts"} onChange={show} options={[{ value: "charts", label: t.asCharts, icon: "chart" }, { value: "table", label: t.asTable, icon: "table" }]} />
        </div>
      )}
      {table && keys.length > 0
        ? <MetricsTable experimentId={run.info.experiment_id} runId={run.info.run_id} keys={keys} metrics={metrics} live={isRunning(run.info)} />
        : <RunCharts run={run} keys={keys} main={main} empty={t.noMetrics} hint={t.noMetricsHint} place="run" />}
    </>
  );
}
