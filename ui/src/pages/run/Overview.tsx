import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import type { RunDetail } from "../../api/runs";
import { ChartCard } from "../../charts/ChartCard";
import { differences, LOOKED_AT, usualValues } from "../../model/answers";
import { formatCount, formatNumber } from "../../model/format";
import { isEval, isLoss, isSystem } from "../../model/metrics";
import { locale, t } from "../../i18n";
import { useFindings } from "../../parts/findings";
import { useTable } from "../../parts/queries";
import { AlertsCard } from "../../parts/Alerts";
import { useMedia } from "../../ui/hooks";
import { DEFAULT_BOARD, type BoardView } from "../../url/board";
import { ArtifactsCard, ChildrenCard, DatasetsCard, TagsCard } from "./cards";
import { CostCard } from "./CostCard";
import { ModelsCard } from "./ModelsCard";
import { ParameterTable } from "./ParameterTable";
import { ReproduceCard } from "./ReproduceCard";
import { useDrawn } from "./RunCharts";
import { StabilityCard } from "./StabilityCard";
import { ChangeText, useAgainst } from "./useAgainst";
import type { RunMetrics } from "./useRunMetrics";

const Notes = lazy(() => import("./Notes"));

interface Props {
  run: RunDetail;
  metrics: RunMetrics;
  main: string | null;
  loss: string | null;
}

const TILES = 5;
const SMALL = 4;

/** The metrics that matter most: main, train loss, other eval, rates and memory. */
function tileKeys(keys: string[], main: string | null, loss: string | null): string[] {
  const rest = keys.filter((k) => k !== main && k !== loss && !isSystem(k));
  const rank = (k: string) => (isEval(k) ? 0 : isLoss(k) ? 1 : /norm|per_second|throughput|memory/i.test(k) ? 2 : 3);
  const others = rest.map((k, i) => [rank(k), i, k] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , k]) => k);
  return [...new Set([main, loss].filter((k): k is string => k !== null)), ...others].slice(0, TILES);
}

function Tiles({ run, keys, metrics }: { run: RunDetail; keys: string[]; metrics: RunMetrics }) {
  const against = useAgainst(run.info.experiment_id, run.info.run_id, metrics);
  if (!keys.length) return null;
  return (
    <section className="card metrics">
      {keys.map((key) => {
        const cell = metrics.cells[key]!;
        const lower = against.lower(key);
        const change = against.name === null ? null : against.change(key);
        const [best, step] = lower ? [cell.min, cell.minStep] : [cell.max, cell.maxStep];
        const bad = cell.last !== null && !Number.isFinite(cell.last);
        return (
          <div key={key}>
            <div className="n" title={key}>{key}</div>
            <div className={`big${bad ? " bad" : ""}`}>{formatNumber(cell.last, locale)}</div>
            <div className="s">{best !== null && step !== null ? (against.directed(key) && (isEval(key) || !lower) ? t.bestAtStep : t.minAtStep)(formatNumber(best, locale), formatCount(step, locale)) : ""}</div>
            {change && <div className="s num" data-testid="against"><ChangeText against={change} name={against.name!} /> {t.vsBaseline}</div>}
          </div>
        );
      })}
    </section>
  );
}

/** Parameters that differ from what most runs of the experiment have. */
function useUsual(run: RunDetail): Record<string, string> {
  const keys = useMemo(() => Object.keys(run.params).slice(0, 60), [run.params]);
  const table = useTable("usual", { experiment_ids: [run.info.experiment_id], columns: keys.map((k) => `params.${k}`), max_results: LOOKED_AT }, keys.length > 0);
  return useMemo(() => {
    const rows = table.data?.rows ?? [];
    if (rows.length < 2) return {};
    return Object.fromEntries(differences(run.params, usualValues(run.info.run_id, rows, keys)).map(({ key, usual }) => [key, usual]));
  }, [table.data, keys, run]);
}

export function Overview({ run, metrics, main, loss }: Props) {
  const [board, setBoard] = useState<BoardView>(DEFAULT_BOARD);
  const marks = useFindings(run.info.run_id);
  const phone = useMedia("(max-width: 720px)");
  const drawn = useDrawn(run);
  const usual = useUsual(run);
  const onBoard = useCallback((part: Partial<BoardView>) => setBoard((old) => ({ ...old, ...part })), []);
  const first = loss ?? main;
  const evaluation = loss ? (metrics.keys.find((k) => k !== loss && isEval(k) && isLoss(k) && !/perplexity|ppl/i.test(k)) ?? null) : null;
  const tiles = tileKeys(metrics.keys, main, loss);
  const rest = metrics.keys.filter((k) => k !== first && k !== evaluation);
  const small = [...new Set([...(main && main !== first && main !== evaluation ? [main] : []), ...rest.filter((k) => /grad|lr|learning_rate/i.test(k) && !isSystem(k)), ...rest.filter((k) => !isSystem(k)), ...rest])].slice(0, SMALL);
  const chart = (key: string, height: number, beside: string | null = null) => (
    <ChartCard marks={marks} key={key} spec={{ id: key, title: beside ? t.loss : key.startsWith("system/") ? key.slice(7) : key, keys: beside ? [key, beside] : [key] }} drawn={drawn} view={board} change={onBoard} lead={run.info.run_id} height={height} syncKey="overview" />
  );
  return (
    <div className="rlay three-cols">
      <div className="colm c1">
        <ParameterTable params={run.params} usual={usual} />
        <Suspense fallback={null}><Notes run={run} /></Suspense>
        <TagsCard run={run} />
      </div>
      <div className="colm c2">
        <Tiles run={run} keys={tiles} metrics={metrics} />
        {first && chart(first, phone ? 230 : 272, evaluation)}
        {small.length > 0 && <div className="grid2">{small.map((key) => chart(key, 136))}</div>}
        {!metrics.loading && metrics.keys.length === 0 && <section className="card"><p className="note">{t.noMetrics}</p></section>}
      </div>
      <div className="colm c3">
        <AlertsCard runId={run.info.run_id} />
        <StabilityCard run={run} />
        <ReproduceCard run={run} />
        <ModelsCard runId={run.info.run_id} />
        <CostCard run={run} />
        <ArtifactsCard run={run} />
        <ChildrenCard run={run} />
        <DatasetsCard run={run} />
      </div>
    </div>
  );
}
