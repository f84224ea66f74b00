import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { getRun } from "../../api/runs";
import type { Columns, Row } from "../../api/table";
import { explain, reproduction, unstableRows, variedParams } from "../../model/answers";
import { orderBy } from "../../model/columns";
import { toFilter } from "../../model/filter";
import { digitsFor, formatCount, formatDelta, formatValue } from "../../model/format";
import { slotOf } from "../../model/slots";
import { locale, t } from "../../i18n";
import { Spark } from "../../charts/Spark";
import { useRefresh, useTable } from "../../parts/queries";
import { StabilityPill, useStability, verdictText } from "../../parts/Stability";
import { CopyButton } from "../../ui/CopyButton";
import { Link } from "../../ui/router";
import { slotColour } from "../../ui/Swatch";
import type { ExperimentView } from "../../url/experiment";
import { runPath } from "../../url/routes";
import { answer, type MainMetric } from "./useExperiment";

interface Props {
  experimentId: string;
  view: ExperimentView;
  columns: Columns | undefined;
  main: MainMetric;
  slots: string[];
  total: number;
  change: (change: Partial<ExperimentView>) => void;
}

const LOOKED_AT = 1000;
const MOST_PARAMS = 40;

/** The strip of answers about the runs of the filter: best, what sets it apart, stable, how to get it back. */
export function FourAnswers({ experimentId, view, columns, main, slots, total, change }: Props) {
  const keys = useMemo(() => (columns ? variedParams(columns.params, columns.runs).slice(0, MOST_PARAMS) : []), [columns]);
  const wire = [...new Set([main.key, main.trainLoss].filter((k): k is string => k !== null))].map((k) => `metrics.${k}`).concat(keys.map((k) => `params.${k}`));
  const order = main.key === null ? [] : orderBy([{ key: `metrics.${main.key}`, desc: !main.lower(main.key) }]);
  const table = useTable("answers", { experiment_ids: [experimentId], filter: toFilter(view.q), order_by: order, columns: wire, view: view.deleted ? "deleted" : "active", max_results: LOOKED_AT }, columns !== undefined);
  useRefresh(["table"], 4000);
  const rows = useMemo(() => table.data?.rows ?? [], [table.data]);
  const baseline = rows.find((r) => r.run.run_id === view.base) ?? null;
  const found = useMemo(() => answer(rows, main, keys, baseline), [rows, main, keys, baseline]);
  const best = found?.best ?? null;
  return (
    <section className="four" aria-label={t.bestRun}>
      <BestRun row={best} baseline={baseline} rows={rows} main={main} total={total} slot={best ? slotOf(slots, best.run.run_id) : null} waiting={!table.data} />
      <Apart rows={rows} main={main} keys={keys} found={found} baseline={baseline} all={columns?.params.length ?? 0} />
      <Stable row={best} rows={rows} main={main} slot={best ? slotOf(slots, best.run.run_id) : null} columns={columns} onUnstable={(ids) => change({ q: `attributes.run_id IN (${ids.map((id) => `'${id}'`).join(", ")})` })} />
      <GetBack row={best} />
    </section>
  );
}

function BestRun({ row, baseline, rows, main, total, slot, waiting }: { row: Row | null; baseline: Row | null; rows: Row[]; main: MainMetric; total: number; slot: number | null; waiting: boolean }) {
  const value = row && main.key ? (row.metrics[main.key]?.last ?? null) : null;
  const base = baseline && main.key ? (baseline.metrics[main.key]?.last ?? null) : null;
  const ratio = value !== null && base ? (value - base) / Math.abs(base) : null;
  const good = ratio !== null && main.key !== null && (main.lower(main.key) ? ratio < -0.002 : ratio > 0.002);
  const digits = digitsFor(rows.map((r) => (main.key ? (r.metrics[main.key]?.last ?? null) : null)));
  return (
    <section>
      <div className="q"><h2>{t.bestRun}</h2><span className="r num">{row ? t.ofRuns(formatCount(total, locale)) : ""}</span></div>
      {row
        ? (
          <>
            <div className="ans">
              <span className="sw" style={{ background: slot === null ? "var(--context)" : slotColour(slot) }} />
              <Link className="ell bestname" to={runPath(row.run.experiment_id, row.run.run_id)} title={row.run.name}>{row.run.name}</Link>
            </div>
            <div className="ans2"><b className="num">{formatValue(value, digits, locale)}</b><span className="ell">{main.key}</span>{ratio !== null && row !== baseline && <span><span className={`num ${good ? "good" : "sec"}`}>{formatDelta(ratio, locale)}</span> {t.vsBaseline}</span>}</div>
          </>
        )
        : !waiting && <div className="ans2">{main.key === null ? t.noMain : t.noBest}</div>}
    </section>
  );
}

const CHIPS = 2;

function Apart({ rows, main, keys, found, baseline, all }: { rows: Row[]; main: MainMetric; keys: string[]; found: ReturnType<typeof answer>; baseline: Row | null; all: number }) {
  const explained = useMemo(() => (main.key === null ? null : explain(rows, main.key, keys)), [rows, main, keys]);
  const differences = found?.differences ?? [];
  const enough = rows.length >= 8;
  return (
    <section>
      <div className="q"><h2>{t.setsApart}</h2><span className="r num">{found && all > 0 ? t.nOfParams(differences.length, all) : ""}</span></div>
      {found && (
        <>
          <div className="ans">
            {differences.length === 0 && <span className="ell sec">{all ? (baseline ? t.sameAsBase : t.sameAsMost) : t.noParams}</span>}
            {differences.slice(0, CHIPS).map((d) => <span key={d.key} className="chip num" title={`${d.key}: ${d.usual ?? "–"} → ${d.value ?? "–"}`}><span className="ell">{d.key}</span><b>{d.value ?? "–"}</b>{d.usual !== null && <s>{d.usual}</s>}</span>)}
            {differences.length > CHIPS && <span className="muted num">{t.nMore(differences.length - CHIPS)}</span>}
          </div>
          <div className="ans2">
            {explained
              ? <><span className="ell">{explained.share > 0.5 ? t.explainsMost(explained.key) : t.explainsSome(explained.key)}</span><span className="share" aria-hidden="true"><i style={{ width: `${explained.share * 100}%` }} /></span><span className="num">{Math.round(explained.share * 100)} %</span></>
              : <span className="ell">{enough ? t.nothingExplains : t.tooFew}</span>}
          </div>
        </>
      )}
    </section>
  );
}

function Stable({ row, rows, main, slot, columns, onUnstable }: { row: Row | null; rows: Row[]; main: MainMetric; slot: number | null; columns: Columns | undefined; onUnstable: (ids: string[]) => void }) {
  const loss = main.trainLoss;
  const judged = useStability(row?.run.run_id ?? null, columns?.metrics ?? []);
  const unstable = useMemo(() => (loss ? unstableRows(rows, loss) : []), [rows, loss]);
  const count = formatCount(rows.length, locale);
  return (
    <section>
      <div className="q"><h2>{t.wasStable}</h2>
        <span className="r num">{loss && rows.length > 1 && (unstable.length
          ? <button type="button" className="linkish" onClick={() => onUnstable(unstable.map((r) => r.run.run_id))}>{t.wereNot(unstable.length, count)}</button>
          : t.allStable(count))}</span></div>
      {row && judged && (
        <>
          <div className="ans"><StabilityPill verdict={judged.stability.verdict} />{loss && <span className="grow"><Spark runId={row.run.run_id} metric={loss} slot={slot} width={170} /></span>}</div>
          <div className="ans2"><span className="ell" title={verdictText(judged)}>{verdictText(judged)}</span></div>
        </>
      )}
    </section>
  );
}

function GetBack({ row }: { row: Row | null }) {
  const id = row?.run.run_id ?? "";
  const run = useQuery({ queryKey: ["run", id], queryFn: ({ signal }) => getRun(id, signal), enabled: id !== "" });
  const known = run.data ? reproduction(run.data.tags) : null;
  const line = known?.lines.join(" && ") ?? "";
  return (
    <section>
      <div className="q"><h2>{t.getBack}</h2>{known?.commit && <span className="r">{t.commit} <code>{known.commit.slice(0, 7)}</code>{known.dirty !== null && `, ${known.dirty ? t.dirty : t.clean}`}</span>}</div>
      {known && (
        <>
          {line ? <div className="cmd"><code title={line}>{line}</code><CopyButton text={known.lines.join("\n")} label={t.copyCommand} /></div> : <div className="ans sec ell">{t.noCommand}</div>}
          <div className="ans2"><span className="ell">{!known.commit ? t.noCommit : known.python ? t.pythonV(known.python) : t.envMissing}</span></div>
        </>
      )}
    </section>
  );
}
