import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { getRun } from "../../api/runs";
import type { Columns, Row } from "../../api/table";
import type { Best, Importance } from "../../api/answers";
import { apart, bestRow, finishedRows, isAside, LOOKED_AT, variedParams, type ParamDifference } from "../../model/answers";
import { metricId, metricValue, orderBy } from "../../model/columns";
import { DIRECTION_TAG } from "../../model/criterion";
import { digitsFor, formatCount, formatDelta, formatNumber, formatParam, formatValue } from "../../model/format";
import { reproduction } from "../../model/reproduction";
import { slotOf } from "../../model/slots";
import { judgedFilter, unstableFilter } from "../../model/verdict";
import { locale, t } from "../../i18n";
import { Spark } from "../../charts/Spark";
import { useRefresh, useTable } from "../../parts/queries";
import { StabilityPill, useVerdict, verdictText } from "../../parts/Stability";
import { CopyButton } from "../../ui/CopyButton";
import { Glyph } from "../../ui/Glyph";
import { useMedia } from "../../ui/hooks";
import { Link } from "../../ui/router";
import { slotColour } from "../../ui/Swatch";
import type { ExperimentView } from "../../url/experiment";
import { runPath } from "../../url/routes";
import { useAnswers } from "./useAnswers";
import { useBaseline, type MainMetric } from "./useExperiment";
import { useKeep } from "./useKeep";

interface Props {
  experimentId: string;
  view: ExperimentView;
  /** The search that was answered last, as the server takes it; null before the first answer. */
  filter: string | null;
  /** The first row of the table: what is judged while no run has finished. */
  first: Row | null;
  from: string;
  columns: Columns | undefined;
  main: MainMetric;
  slots: string[];
  total: number;
  change: (change: Partial<ExperimentView>) => void;
}

const MOST_PARAMS = 40;

/** The value that a run is judged by. */
const mainValue = (row: Row, main: MainMetric) => (main.key === null ? null : metricValue(row, main.key, main.judged(main.key), main.lower(main.key)));

/** The strip of answers about the runs of the filter: best, what sets it apart, stable, how to get it back. */
export function FourAnswers({ experimentId, view, filter, first, from, columns, main, slots, total, change }: Props) {
  const keys = useMemo(() => (columns ? variedParams(columns.params, columns.runs).filter((key) => !isAside(key)).slice(0, MOST_PARAMS) : []), [columns]);
  const wire = [...new Set([main.key, main.trainLoss].filter((k): k is string => k !== null))].map((k) => `metrics.${k}`).concat(keys.map((k) => `params.${k}`));
  const order = main.key === null ? [] : orderBy([{ key: metricId(main.key, main.judged(main.key)), desc: !main.lower(main.key) }], main.lower);
  const stage = view.deleted ? "deleted" : "active";
  const table = useTable("answers", { experiment_ids: [experimentId], filter: filter ?? "", order_by: order, columns: wire, view: stage, max_results: LOOKED_AT }, columns !== undefined && filter !== null);
  useRefresh(["table"], 4000);
  const rows = useMemo(() => table.data?.rows ?? [], [table.data]);
  const baseline = useBaseline(view.base, rows, { columns: wire });
  const lower = main.key === null ? null : main.direction(main.key);
  const question = useMemo(() => (main.key === null || lower === null || filter === null || view.deleted ? null : { experiment_id: experimentId, metric: main.key, lower, filter }), [experimentId, filter, main, lower, view.deleted]);
  const { best: told, importance } = useAnswers(question);
  const toldId = told?.best.run_ids[0] ?? "";
  const toldRow = useBaseline(toldId, rows, { columns: wire });
  // Of deleted runs the server judges nothing: then the best of those at hand is shown.
  const best = view.deleted ? (main.key === null || lower === null ? null : bestRow(rows, (row) => mainValue(row, main), lower)) : toldRow;
  const asks = main.key !== null && lower === null;
  const waiting = question === null ? !table.data && main.key !== null : told === undefined || (toldId !== "" && toldRow === null);
  const found = useMemo(() => (best ? { best, differences: apart(best, rows, keys, baseline) } : null), [best, rows, keys, baseline]);
  const judged = best ?? (table.data ? first : null);
  const instead = best === null && judged !== null;
  const show = (q: string) => change({ q });
  const sideways = useMedia("(max-width: 720px)"); // one answer beside the other: keys must reach what they scroll
  return (
    <section className="four" aria-label={t.fourAnswers} tabIndex={sideways ? 0 : undefined}>
      {asks ? <WhichWay experimentId={experimentId} metric={main.key!} /> : <BestRun row={best} told={told ?? null} baseline={baseline} rows={rows} main={main} total={total} from={from} slot={best ? slotOf(slots, best.run.run_id) : null} waiting={waiting} />}
      <Apart importance={importance ?? null} main={main} found={found} baseline={baseline} all={columns?.params.length ?? 0} waiting={waiting} asks={asks} />
      <section>
        <div className="q"><h2>{t.wasStable}</h2>
          <span className="r num">{main.trainLoss && table.data && total > 1 && <Unstable experimentId={experimentId} filter={filter ?? ""} stage={stage} total={total} onShow={show} />}</span></div>
        <Stable row={judged} instead={instead} main={main} slot={judged ? slotOf(slots, judged.run.run_id) : null} />
      </section>
      <GetBack row={judged} instead={instead} />
    </section>
  );
}

/** How many runs of the search the server found unstable, of those that it has judged. */
function Unstable({ experimentId, filter, stage, total, onShow }: { experimentId: string; filter: string; stage: "active" | "deleted"; total: number; onShow: (q: string) => void }) {
  const search = unstableFilter(filter);
  const found = useTable("unstable", { experiment_ids: [experimentId], filter: search, view: stage, max_results: 1 });
  const judged = useTable("judged", { experiment_ids: [experimentId], filter: judgedFilter(filter), view: stage, max_results: 1 });
  if (!found.data || !judged.data) return null;
  const known = Math.min(judged.data.total, total);
  const all = known < total ? t.judgedOf(formatCount(known, locale), formatCount(total, locale)) : formatCount(total, locale);
  if (!found.data.total) return known ? t.noneUnstable(all) : t.noneJudged;
  return <button type="button" className="linkish" title={t.showThese} onClick={() => onShow(search)}>{t.unstableOf(formatCount(found.data.total, locale), all)}</button>;
}

/** Neither the metric's name nor the experiment says which way is better: whoever knows is asked, once for everyone. */
function WhichWay({ experimentId, metric }: { experimentId: string; metric: string }) {
  const keep = useKeep(experimentId);
  const choose = (word: "lower" | "higher") => void keep(DIRECTION_TAG + metric, word);
  return (
    <section data-testid="which-way">
      <div className="q"><h2>{t.bestRun}</h2></div>
      <div className="ans">
        <button type="button" className="btn tiny" onClick={() => choose("lower")}>{t.lowerBetter}</button>
        <button type="button" className="btn tiny" onClick={() => choose("higher")}>{t.higherBetter}</button>
      </div>
      <div className="ans2"><span className="ell" title={t.whichWay(metric)}>{t.whichWay(metric)}</span></div>
    </section>
  );
}

/** How the value was read, where it is not the last one: the table beside it has plain values alone. */
const readTitle = (reading: Best["reading"]) => ({ last: undefined, best: t.judgeBest, smoothed: t.judgeSmoothed })[reading];

function BestRun({ row, told, baseline, rows, main, total, from, slot, waiting }: { row: Row | null; told: Best | null; baseline: Row | null; rows: Row[]; main: MainMetric; total: number; from: string; slot: number | null; waiting: boolean }) {
  const finished = told?.runs ?? finishedRows(rows).length;
  const value = told?.best.values[0] ?? (row && mainValue(row, main));
  const pinned = told?.baseline?.run_id === baseline?.run.run_id ? (told?.baseline?.value ?? null) : null;
  const base = pinned ?? (baseline && mainValue(baseline, main));
  const ratio = value !== null && base ? (value - base) / Math.abs(base) : null;
  const good = ratio !== null && main.key !== null && (main.lower(main.key) ? ratio < -0.002 : ratio > 0.002);
  const digits = digitsFor(told ? [...told.best.values, ...(told.runner_up?.values ?? [])] : rows.map((r) => mainValue(r, main)));
  return (
    <section>
      <div className="q"><h2>{t.bestRun}</h2><span className="r num" title={t.bestTitle}>{row ? (finished < total ? t.ofFinished : t.ofRuns)(formatCount(finished, locale)) : ""}</span></div>
      {row
        ? (
          <>
            <div className="ans">
              <span className="sw" style={{ background: slot === null ? "var(--context)" : slotColour(slot) }} />
              <Link className="ell bestname" to={runPath(row.run.experiment_id, row.run.run_id)} from={from} title={row.run.name}>{row.run.name}</Link>
            </div>
            <div className="ans2"><b className="num">{formatValue(value, digits, locale)}</b><span className="ell" title={told ? readTitle(told.reading) : undefined}>{main.key}{told && told.reading !== "last" && <span className="muted"> {t[told.reading]}</span>}</span>{told && <Lead told={told} digits={digits} />}{ratio !== null && row !== baseline && <span><span className={`num ${good ? "good" : "sec"}`}>{formatDelta(ratio, locale)}</span> {t.vsBaseline}</span>}</div>
          </>
        )
        : !waiting && <div className="ans2">{main.key === null ? t.noMain : t.noBest}</div>}
    </section>
  );
}

/** How many seeds the best configuration has, and whether its lead is more than their noise. */
function Lead({ told, digits }: { told: Best; digits: ReturnType<typeof digitsFor> }) {
  const { best, significant, p_value } = told;
  const sure = significant === null ? t.leadUnknown : (significant ? t.leadSure : t.leadNoise)(formatNumber(p_value, locale));
  if (best.run_ids.length < 2 || best.std === null) return null;
  return <>{significant !== null && <Glyph name={significant ? "FINISHED" : "WARN"} />}<span className="ell sec num" title={sure} data-testid="lead">{t.ofSeeds(best.run_ids.length, formatValue(best.std, digits, locale))}</span></>;
}

const CHIPS = 2;
/** A parameter that explains less is not worth a word. */
const LEAST_SHARE = 0.05;

function Apart({ importance, main, found, baseline, all, waiting, asks }: { importance: Importance | null; main: MainMetric; found: { differences: ParamDifference[] } | null; baseline: Row | null; all: number; waiting: boolean; asks: boolean }) {
  const first = importance?.explained != null ? importance.effects[0] : undefined;
  const explained = first && first.share > LEAST_SHARE ? first : null;
  const shares = new Map(importance?.effects.map((one) => [one.key, one.share]));
  const differences = [...(found?.differences ?? [])].sort((a, b) => (shares.get(b.key) ?? 0) - (shares.get(a.key) ?? 0));
  const enough = importance?.explained != null;
  const usual = baseline ? t.baselineValue : t.mostCommon;
  return (
    <section>
      <div className="q"><h2>{t.setsApart}</h2><span className="r num">{found && all > 0 ? t.nOfParams(differences.length, all) : ""}</span></div>
      {found && (
        <>
          <div className="ans">
            {differences.length === 0 && <span className="ell sec">{all ? (baseline ? t.sameAsBase : t.sameAsMost) : t.noParams}</span>}
            {differences.slice(0, CHIPS).map((d) => (
              <span key={d.key} className="chip num" title={`${d.key}: ${d.value} (${usual}: ${d.usual})`}>
                <span className="ell chip-key">{d.key}</span><b className="ell">{formatParam(d.value)}</b>{differences.length === 1 && <s className="ell" title={`${usual}: ${d.usual}`}>{formatParam(d.usual)}</s>}
              </span>
            ))}
            {differences.length > CHIPS && <span className="muted num more" title={differences.slice(CHIPS).map((d) => `${d.key}: ${d.value} (${usual}: ${d.usual})`).join("\n")}>{t.nMore(differences.length - CHIPS)}</span>}
          </div>
          <div className="ans2" title={main.key === null ? undefined : [t.explainTitle(main.key), ...(explained ? importance!.effects.slice(0, 5).map((one) => `${one.key}: ${Math.round(one.share * 100)} %`) : [])].join("\n")}>
            {explained
              ? <><span className="ell">{explained.share > 0.5 ? t.explainsMost(explained.key) : t.explainsSome(explained.key)}</span><span className="share" aria-hidden="true"><i style={{ width: `${explained.share * 100}%` }} /></span><span className="num">{Math.round(explained.share * 100)} %</span></>
              : <span className="ell">{enough ? t.nothingExplains : t.tooFew}</span>}
          </div>
        </>
      )}
      {!found && (asks || !waiting) && <div className="ans2">{asks ? t.asksFirst : t.noneToCompare}</div>}
    </section>
  );
}

function Stable({ row, instead, main, slot }: { row: Row | null; instead: boolean; main: MainMetric; slot: number | null }) {
  const loss = main.trainLoss;
  const judged = useVerdict(row?.run.run_id ?? null);
  if (!row || !judged) return null;
  const text = verdictText(judged);
  return (
    <>
      <div className="ans"><StabilityPill word={judged.word} />{instead ? <span className="ell muted" title={row.run.name}>{t.ofFirstRow(row.run.name)}</span> : loss && <span className="grow"><Spark runId={row.run.run_id} metric={loss} slot={slot} width={170} /></span>}</div>
      <div className="ans2"><span className="ell" title={text}>{text}</span></div>
    </>
  );
}

function GetBack({ row, instead }: { row: Row | null; instead: boolean }) {
  const id = row?.run.run_id ?? "";
  const run = useQuery({ queryKey: ["run", id], queryFn: ({ signal }) => getRun(id, signal), enabled: id !== "" });
  const known = run.data ? reproduction(run.data.tags, null, { id, server: location.origin }) : null;
  const line = known?.command ?? known?.lines.join(" && ") ?? "";
  const state = known && (known.dirty ? t.dirty : known.script ? t.scriptNotInGit : known.dirty === false ? t.clean : null);
  const about = known && (!known.commit ? t.noCommit : known.python ? t.pythonV(known.python) : t.envMissing);
  return (
    <section>
      <div className="q"><h2>{t.getBack}</h2>{known?.commit && <span className="r">{t.commit} <code>{known.commit.slice(0, 7)}</code>{state && `, ${state}`}</span>}</div>
      {known && (
        <>
          {line ? <div className="cmd"><code title={line}>{line}</code><CopyButton text={known.command ?? known.lines.join("\n")} label={t.copyCommand} /></div> : <div className="ans sec ell">{t.noCommand}</div>}
          <div className="ans2"><span className="ell">{instead && row ? `${t.ofFirstRow(row.run.name)}; ${about}` : about}</span></div>
        </>
      )}
    </section>
  );
}
