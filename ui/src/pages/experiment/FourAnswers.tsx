import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { getRun } from "../../api/runs";
import type { Columns, Row } from "../../api/table";
import { explain, finishedRows, isSeed, LOOKED_AT, variedParams } from "../../model/answers";
import { orderBy } from "../../model/columns";
import { digitsFor, formatCount, formatDelta, formatParam, formatValue } from "../../model/format";
import { reproduction } from "../../model/reproduction";
import { slotOf } from "../../model/slots";
import { unstableFilter } from "../../model/verdict";
import { locale, t } from "../../i18n";
import { Spark } from "../../charts/Spark";
import { useRefresh, useTable } from "../../parts/queries";
import { StabilityPill, useVerdict, verdictText } from "../../parts/Stability";
import { CopyButton } from "../../ui/CopyButton";
import { Link } from "../../ui/router";
import { slotColour } from "../../ui/Swatch";
import type { ExperimentView } from "../../url/experiment";
import { runPath } from "../../url/routes";
import { answer, type MainMetric } from "./useExperiment";

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

/** The strip of answers about the runs of the filter: best, what sets it apart, stable, how to get it back. */
export function FourAnswers({ experimentId, view, filter, first, from, columns, main, slots, total, change }: Props) {
  const keys = useMemo(() => (columns ? variedParams(columns.params, columns.runs).filter((key) => !isSeed(key)).slice(0, MOST_PARAMS) : []), [columns]);
  const wire = [...new Set([main.key, main.trainLoss].filter((k): k is string => k !== null))].map((k) => `metrics.${k}`).concat(keys.map((k) => `params.${k}`));
  const order = main.key === null ? [] : orderBy([{ key: `metrics.${main.key}`, desc: !main.lower(main.key) }]);
  const stage = view.deleted ? "deleted" : "active";
  const table = useTable("answers", { experiment_ids: [experimentId], filter: filter ?? "", order_by: order, columns: wire, view: stage, max_results: LOOKED_AT }, columns !== undefined && filter !== null);
  useRefresh(["table"], 4000);
  const rows = useMemo(() => table.data?.rows ?? [], [table.data]);
  const baseline = rows.find((r) => r.run.run_id === view.base) ?? null;
  const found = useMemo(() => answer(rows, main, keys, baseline), [rows, main, keys, baseline]);
  const best = found?.best ?? null;
  const judged = best ?? (table.data ? first : null);
  const instead = best === null && judged !== null;
  const show = (q: string) => change({ q });
  return (
    <section className="four" aria-label={t.bestRun}>
      <BestRun row={best} baseline={baseline} rows={rows} main={main} total={total} from={from} slot={best ? slotOf(slots, best.run.run_id) : null} waiting={!table.data} />
      <Apart rows={rows} main={main} keys={keys} found={found} baseline={baseline} all={columns?.params.length ?? 0} waiting={!table.data} />
      <section>
        <div className="q"><h2>{t.wasStable}</h2>
          <span className="r num">{main.trainLoss && table.data && total > 1 && <Unstable experimentId={experimentId} filter={filter ?? ""} stage={stage} total={total} onShow={show} />}</span></div>
        <Stable row={judged} instead={instead} main={main} slot={judged ? slotOf(slots, judged.run.run_id) : null} />
      </section>
      <GetBack row={judged} instead={instead} />
    </section>
  );
}

/** How many runs of the search the server found unstable. */
function Unstable({ experimentId, filter, stage, total, onShow }: { experimentId: string; filter: string; stage: "active" | "deleted"; total: number; onShow: (q: string) => void }) {
  const search = unstableFilter(filter);
  const found = useTable("unstable", { experiment_ids: [experimentId], filter: search, view: stage, max_results: 1 });
  if (!found.data) return null;
  const all = formatCount(total, locale);
  if (!found.data.total) return t.noneUnstable(all);
  return <button type="button" className="linkish" title={t.showThese} onClick={() => onShow(search)}>{t.unstableOf(formatCount(found.data.total, locale), all)}</button>;
}

function BestRun({ row, baseline, rows, main, total, from, slot, waiting }: { row: Row | null; baseline: Row | null; rows: Row[]; main: MainMetric; total: number; from: string; slot: number | null; waiting: boolean }) {
  const finished = finishedRows(rows).length;
  const whole = rows.length >= total;
  const value = row && main.key ? (row.metrics[main.key]?.last ?? null) : null;
  const base = baseline && main.key ? (baseline.metrics[main.key]?.last ?? null) : null;
  const ratio = value !== null && base ? (value - base) / Math.abs(base) : null;
  const good = ratio !== null && main.key !== null && (main.lower(main.key) ? ratio < -0.002 : ratio > 0.002);
  const digits = digitsFor(rows.map((r) => (main.key ? (r.metrics[main.key]?.last ?? null) : null)));
  return (
    <section>
      <div className="q"><h2>{t.bestRun}</h2><span className="r num" title={t.bestTitle}>{row ? (whole && finished < total ? t.ofFinished : t.ofRuns)(formatCount(whole ? finished : total, locale)) : ""}</span></div>
      {row
        ? (
          <>
            <div className="ans">
              <span className="sw" style={{ background: slot === null ? "var(--context)" : slotColour(slot) }} />
              <Link className="ell bestname" to={runPath(row.run.experiment_id, row.run.run_id)} from={from} title={row.run.name}>{row.run.name}</Link>
            </div>
            <div className="ans2"><b className="num">{formatValue(value, digits, locale)}</b><span className="ell">{main.key}</span>{ratio !== null && row !== baseline && <span><span className={`num ${good ? "good" : "sec"}`}>{formatDelta(ratio, locale)}</span> {t.vsBaseline}</span>}</div>
          </>
        )
        : !waiting && <div className="ans2">{main.key === null ? t.noMain : t.noBest}</div>}
    </section>
  );
}

const CHIPS = 2;

function Apart({ rows, main, keys, found, baseline, all, waiting }: { rows: Row[]; main: MainMetric; keys: string[]; found: ReturnType<typeof answer>; baseline: Row | null; all: number; waiting: boolean }) {
  const explained = useMemo(() => (main.key === null ? null : explain(rows, main.key, keys)), [rows, main, keys]);
  const differences = found?.differences ?? [];
  const enough = finishedRows(rows).length >= 8;
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
          <div className="ans2" title={main.key === null ? undefined : t.explainTitle(main.key)}>
            {explained
              ? <><span className="ell">{explained.share > 0.5 ? t.explainsMost(explained.key) : t.explainsSome(explained.key)}</span><span className="share" aria-hidden="true"><i style={{ width: `${explained.share * 100}%` }} /></span><span className="num">{Math.round(explained.share * 100)} %</span></>
              : <span className="ell">{enough ? t.nothingExplains : t.tooFew}</span>}
          </div>
        </>
      )}
      {!found && !waiting && <div className="ans2">{t.noneToCompare}</div>}
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
