import { useMemo, useRef } from "react";
import { xSpan } from "../../charts/scale";
import { sparkPath } from "../../charts/Spark";
import { useSeries } from "../../charts/useSeries";
import type { Row } from "../../api/table";
import { metricValue } from "../../model/columns";
import { directionOf, mainOf, readingOf, type Tags } from "../../model/criterion";
import { formatCount, formatDuration, formatNumber } from "../../model/format";
import { pickTrainLoss } from "../../model/metrics";
import { durationOf } from "../../model/status";
import { locale, t } from "../../i18n";
import { useColumns, useTable } from "../../parts/queries";
import { StatusGlyph } from "../../parts/Status";
import { useNow, useSize } from "../../ui/hooks";
import { Link } from "../../ui/router";
import { runPath } from "../../url/routes";

const VIEW = { x: "step", start: null, end: null, buckets: 120, smoothing: 0 } as const;
const HEIGHT = 72;

/** A run that is going on: its loss as a live line, the value that its experiment judges by, how far it is. */
export function RunningCard({ row, experiment, tags }: { row: Row; experiment: string; tags: Tags }) {
  const { run } = row;
  const box = useRef<HTMLDivElement>(null);
  const now = useNow(1000);
  const columns = useColumns([run.experiment_id]);
  const metrics = useMemo(() => columns.data?.metrics ?? [], [columns.data]);
  const main = useMemo(() => mainOf(metrics, tags), [metrics, tags]);
  const loss = useMemo(() => pickTrainLoss(metrics) ?? main, [metrics, main]);
  const known = useTable("live", { run_ids: [run.run_id], experiment_ids: [run.experiment_id], columns: [...new Set([main, loss])].flatMap((k) => (k ? [`metrics.${k}`] : [])).concat("params.max_steps"), max_results: 1 }, main !== null);
  const { found, pending } = useSeries([run.run_id], loss ?? "", VIEW, loss !== null);
  const series = found.get(run.run_id);
  const cells = known.data?.rows[0];
  // A run that has not logged what is drawn has a small card.
  const waiting = (columns.data === undefined && !columns.error) || (loss !== null && pending);
  const drawn = waiting || (loss !== null && (series !== undefined || cells === undefined || cells.metrics[loss]?.last != null));
  const { width } = useSize(box, drawn);
  const shown = main && cells?.metrics[main]?.last != null ? main : loss;
  const part = shown && readingOf(shown, tags) !== "last" ? "best" : "last";
  const value = cells && shown ? metricValue(cells, shown, part, directionOf(shown, tags) ?? true) : null;
  const line = useMemo(() => (series && width > 0 ? sparkPath(series, width, HEIGHT, 1) : null), [series, width]);
  const last = series ? xSpan([series])?.[1] : undefined;
  const goal = Number(cells?.texts["params.max_steps"] ?? NaN);
  return (
    <Link to={runPath(run.experiment_id, run.run_id)} className={`card runcard${!drawn ? " plain" : ""}`}>
      <span className="row rc-t"><StatusGlyph status={run.status} /><span className="ell">{run.name}</span><span className="grow" />{drawn && <b className="num">{formatNumber(value, locale)}</b>}</span>
      <span className="row rc-x"><span className="ell">{experiment}</span><span className="grow" />{drawn && <span>{shown}{part === "best" && value !== null && ` ${t.best}`}</span>}</span>
      {drawn && <div ref={box} className="rc-plot">
        {line && (
          <svg width={width} height={HEIGHT} aria-hidden="true">
            <path d={`M0 ${HEIGHT - 0.5}H${width}`} stroke="var(--axis)" />
            <path d={line.path} fill="none" stroke="var(--run)" strokeWidth="1.5" strokeLinejoin="round" />
            {line.end && <><circle cx={line.end.x} cy={line.end.y} r="6" fill="var(--run)" fillOpacity=".2" /><circle cx={line.end.x} cy={line.end.y} r="2.6" fill="var(--run)" /></>}
          </svg>
        )}
      </div>}
      <span className="row rc-s num"><span>{last === undefined ? waiting ? "" : t.noMetrics : goal > 0 ? t.stepOf(formatCount(last, locale), formatCount(goal, locale)) : t.step(formatCount(last, locale))}</span><span className="grow" /><span>{formatDuration(durationOf(run, now))}</span></span>
      {goal > 0 && last !== undefined && <span className="prog"><i style={{ width: `${Math.min(100, (last / goal) * 100)}%` }} /></span>}
    </Link>
  );
}
