import { useCallback, useMemo, useState, type ReactNode } from "react";
import { exportRuns, type FileFormat, type Row } from "../../api/table";
import { Board } from "../../charts/Board";
import type { DrawnRun } from "../../charts/types";
import { isAside } from "../../model/answers";
import { axisName, brushFilter, valueOf } from "../../model/compare";
import { addCondition } from "../../model/filter";
import { formatCount } from "../../model/format";
import { isSystem } from "../../model/metrics";
import { MOST_DRAWN } from "../../model/slots";
import { isRunning } from "../../model/status";
import { locale, t } from "../../i18n";
import { useFindingsOf } from "../../parts/findings";
import { useExperiments, useRefresh } from "../../parts/queries";
import { experimentCrumbs, Top } from "../../parts/Top";
import { Button } from "../../ui/Button";
import { useMedia, useSame, useTitle } from "../../ui/hooks";
import { MenuButton, type MenuEntry } from "../../ui/Menu";
import { Link, navigate, useView } from "../../ui/router";
import { saveBlob } from "../../ui/save";
import { rampColour } from "../../ui/Swatch";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import { complain, copyText } from "../../ui/toast";
import type { BoardView } from "../../url/board";
import { COMPARE_PARTS, comparePath, formatCompare, parseCompare, type ComparePart, type CompareView } from "../../url/compare";
import { DEFAULT_VIEW, formatExperiment } from "../../url/experiment";
import { experimentPath } from "../../url/routes";
import "../../styles/compare.css";
import { coloursOf, type Colours } from "./colours";
import { ConfigDiff } from "./ConfigDiff";
import { Parallel, writeValue } from "./Parallel";
import { Scatter } from "./Scatter";
import { SideBySide } from "./SideBySide";
import { Importance, importanceAbout } from "./Importance";
import { Bars, BoxPlot } from "./Summaries";
import { useCompared, type Compared } from "./useCompared";
import { BEST_RUNS } from "./useRows";

const partNames = (): Record<ComparePart, string> => ({ all: t.partAll, table: t.partTable, curves: t.partCurves, parallel: t.partParallel, scatter: t.partScatter, box: t.partBox, bar: t.partBar, importance: t.partImportance, diff: t.partDiff });
const FIRST_AXES = 6;
const FEW_MOVERS = 8;

/** The runs as the curves want them: on the ramp all of them; each by its own colour while there are colours, the others grey behind. */
function linesOf(rows: readonly Row[], chosen: readonly Row[], colours: Colours): { drawn: DrawnRun[]; context: DrawnRun[] } {
  const own = coloursOf(rows, null, true).slot;
  const all = chosen.map((row, place): DrawnRun => {
    const { run } = row;
    const shade = colours.shade(row) ?? undefined;
    const slot = colours.column === null ? own(run.run_id) : shade === undefined ? null : place;
    return { id: run.run_id, name: run.name, live: isRunning(run), slot, shade };
  });
  return { drawn: all.filter((run) => run.slot !== null), context: all.filter((run) => run.slot === null) };
}

function Choice({ label, value, options, onChange }: { label: string; value: string; options: readonly string[]; onChange: (next: string) => void }) {
  return (
    <MenuButton look="ghost" icon="down" label={label} align="start" entries={() => options.slice(0, 200).map((option): MenuEntry => ({ label: axisName(option), checked: option === value, onSelect: () => onChange(option) }))}>
      <span className="muted">{label}</span> <span className="ell sortname">{axisName(value)}</span>
    </MenuButton>
  );
}

function Card({ title, about, actions, children, className = "" }: { title: string; about?: ReactNode; actions?: ReactNode; children: ReactNode; className?: string }) {
  return <section className={`card ccard ${className}`} aria-label={title}><header><h2>{title}</h2>{about && <span className="muted ell">{about}</span>}<span className="right">{actions}</span></header>{children}</section>;
}

/** Everything that is drawn of the compared runs, by the part of the page it belongs to. */
function useParts(view: CompareView, change: (part: Partial<CompareView>, replace?: boolean) => void, found: Compared): Partial<Record<ComparePart, ReactNode>> {
  const { rows, chosen, target, lower, params, metrics, importance } = found;
  const phone = useMedia("(max-width: 720px)");
  const { board } = view;
  const onBoard = useCallback((part: Partial<BoardView>) => change({ board: { ...board, ...part } }, true), [change, board]);
  const targetColumn = target === null ? null : `metrics.${target}`;
  const colour = view.colour || (rows.length > MOST_DRAWN ? targetColumn : null);
  const colours = useMemo(() => coloursOf(rows, colour === "run" ? null : colour, lower), [rows, colour, lower]);
  const offered = useMemo(() => [...params.map((k) => `params.${k}`), ...metrics.filter((k) => !isSystem(k)).map((k) => `metrics.${k}`)], [params, metrics]);
  const ordered = useMemo(() => {
    const known = importance?.effects.map((one) => one.key).filter((k) => params.includes(k)) ?? [];
    return [...known, ...params.filter((k) => !known.includes(k) && !isAside(k))].map((k) => `params.${k}`);
  }, [importance, params]);
  // The first choice of axes for a metric stays while the brush moves the shares.
  const [kept, setKept] = useState<{ of: string | null; axes: string[] } | null>(null);
  const first = kept !== null && kept.of === target ? kept.axes : null;
  const wanted = [...ordered.slice(0, phone ? 2 : FIRST_AXES).reverse(), ...(targetColumn ? [targetColumn] : [])];
  if (first === null && !found.waiting && importance !== undefined && rows.length > 0 && targetColumn !== null) setKept({ of: target, axes: wanted });
  const axes = (view.axes ?? first ?? wanted).filter((c) => offered.includes(c));
  const x = offered.includes(view.x) ? view.x : (ordered[0] ?? targetColumn ?? "");
  const y = offered.includes(view.y) ? view.y : (targetColumn ?? "");
  const by = offered.includes(view.x) && view.x.startsWith("params.") ? view.x : (ordered[0] ?? "");
  const lines = useSame(linesOf(rows, chosen, colours));
  const marks = useFindingsOf(useMemo(() => lines.drawn.slice(0, MOST_DRAWN).map((run) => run.id), [lines]));
  if (!rows.length) return {};
  const base = view.base || rows[0]!.run.run_id;
  const tall = view.part !== "all";
  const high = (part: ComparePart, small: number) => (view.part === part ? Math.max(small, innerHeight - 190) : small);
  const addAxis = () => offered.filter((c) => !axes.includes(c)).slice(0, 200).map((c): MenuEntry => ({ label: axisName(c), onSelect: () => change({ axes: [...axes.slice(0, -1), c, ...axes.slice(-1)] }) }));
  const valued = targetColumn === null ? 0 : chosen.filter((r) => valueOf(r, targetColumn) !== null).length;
  const colouredBy = colours.column && <span className="ramp"><span className="num">{writeValue(colours.low)}</span><i style={{ background: `linear-gradient(90deg in oklab, ${rampColour(lower ? 0 : 1)}, ${rampColour(lower ? 1 : 0)})` }} /><span className="num">{writeValue(colours.high)}</span> {axisName(colours.column)}</span>;
  const none = <p className="muted none">{t.noTarget}</p>;
  const parts: Partial<Record<ComparePart, ReactNode>> = {
    table: chosen.length ? <SideBySide rows={chosen} slot={colours.slot} base={base} criterion={found.criterion} onBase={(id) => change({ base: id })} onRemove={view.runs.length ? (id) => change({ runs: view.runs.filter((r) => r !== id), base: view.base === id ? "" : view.base }) : undefined} /> : <EmptyState title={t.allOutside}><Button onClick={() => change({ brush: [] })}>{t.clearBrush}</Button></EmptyState>,
    curves: metrics.length > 0 && <section className="cw cmp-charts" aria-label={t.curves}><Board keys={[...metrics].sort((a, b) => Number(isSystem(a)) - Number(isSystem(b)))} main={target} drawn={lines.drawn} context={lines.context} marks={marks} view={board} change={onBoard} lead={null} lower={found.criterion.lower} syncKey="compare" /></section>,
    parallel: (
      <Card title={t.partParallel} about={<span className="hide-s">{t.brushHint}</span>} actions={<>{colouredBy}<MenuButton look="ghost" icon="plus" label={t.addAxis} entries={addAxis} /></>}>
        {target === null ? none : first === null && view.axes === null ? <div style={{ height: high("parallel", 290) }} /> : <Parallel rows={rows} chosen={chosen} axes={axes} offered={offered} target={target} lower={lower} brush={view.brush} colours={colours} height={high("parallel", 290)} onAxes={(next) => change({ axes: next })} onBrush={(brush) => change({ brush })} />}
      </Card>
    ),
    scatter: (
      <Card title={t.partScatter} about={t.runs(chosen.length)} actions={<><Choice label={t.xAxisOf} value={x} options={offered} onChange={(next) => change({ x: next })} /><Choice label={t.yAxisOf} value={y} options={offered} onChange={(next) => change({ y: next })} /></>}>
        {x && y ? <Scatter rows={chosen} x={x} y={y} colours={colours} height={high("scatter", 260)} /> : none}
      </Card>
    ),
    importance: <Card title={target === null ? t.partImportance : t.whatMoved(target)} about={importanceAbout(importance)}>{target === null ? none : <Importance answer={importance} most={tall ? 200 : FEW_MOVERS} />}</Card>,
    box: <Card title={`${target ?? ""} ${by ? t.byParam(axisName(by)) : ""}`} actions={by && <Choice label={t.partBox} value={by} options={params.map((k) => `params.${k}`)} onChange={(next) => change({ x: next })} />}>{target === null ? none : by ? <BoxPlot rows={chosen} by={by} target={target} /> : <p className="muted none">{t.nothingVaries}</p>}</Card>,
    bar: <Card title={target ?? t.partBar} about={t.runs(valued)}>{target === null ? none : <Bars rows={chosen} target={target} lower={lower} colours={colours} />}</Card>,
    diff: <ConfigDiff rows={chosen} base={base} />,
  };
  return { ...parts, all: <Everything parts={parts} few={rows.length <= 2} /> };
}

/** The first page: with many runs the way to the best, with two runs what differs. */
function Everything({ parts, few }: { parts: Partial<Record<ComparePart, ReactNode>>; few: boolean }) {
  return (
    <div className="clay">
      {!few && <div className="cwide">{parts.parallel}</div>}
      <div className="cstack">{parts.table}</div>
      <div className="cstack">{!few && parts.scatter}{!few && parts.importance}{parts.curves}</div>
    </div>
  );
}

/** Any number of runs against each other: what differs, what moved the metric, and their curves over one another. */
export default function ComparePage() {
  const [view, change] = useView(parseCompare, formatCompare);
  const found = useCompared(view);
  const { rows, chosen, target } = found;
  const experiments = useExperiments("all");
  const parts = useParts(view, change, found);
  useRefresh(["table", "run"], 3000);
  useTitle(t.compareRuns(rows.length));

  const asked = view.runs.length > 0 || view.experiments.length > 0;
  const only = found.experimentIds.length === 1 ? experiments.data?.find((e) => e.experiment_id === found.experimentIds[0]) : undefined;
  const crumbs = only ? experimentCrumbs(only.name, experimentPath(only.experiment_id)) : [];
  const count = Math.max(found.total, rows.length);
  // Of a search the file has all runs, also those that are not drawn.
  const brushed = brushFilter(view.brush, found.criterion.part);
  const asFile = found.set.named ? { run_ids: chosen.map((r) => r.run.run_id), view: "all" as const, experiment_ids: found.experimentIds } : { ...found.set.query, filter: addCondition(found.set.query.filter ?? "", brushed) };
  const save = async (format: FileFormat) => saveBlob(await exportRuns(format, asFile), `compare.${format}`);
  const file = (format: FileFormat, label: string): MenuEntry => ({ label, icon: "download", onSelect: () => void save(format).catch(complain) });
  const named = view.runs.length ? `attributes.run_id IN (${view.runs.map((id) => `'${id}'`).join(", ")})` : view.q;
  const show = () => navigate(experimentPath(only!.experiment_id) + formatExperiment({ ...DEFAULT_VIEW, view: "none", deleted: view.deleted, q: addCondition(named, brushed) }));
  const colouring: string[] = ["run", ...(target === null ? [] : [`metrics.${target}`]), ...found.params.map((k) => `params.${k}`)];
  const coloured = view.colour || (rows.length > MOST_DRAWN && target !== null ? `metrics.${target}` : "run");
  const names = partNames();
  const phone = useMedia("(max-width: 720px)");
  const files = [file("csv", t.asCsv), file("parquet", t.asParquet)];
  const link = { label: t.copyLink, icon: "share", onSelect: () => void copyText(location.href) } as const;
  // A part of a search is no filter that one could read.
  const filters = view.brush.length > 0 && only !== undefined && view.some === null;
  const filtering: MenuEntry[] = filters ? [{ label: t.toFilter, icon: "filter", onSelect: show }, "line"] : [];
  const choices = (
    <>
      {found.metrics.length > 1 && target !== null && <Choice label={t.targetMetric} value={`metrics.${target}`} options={found.metrics.filter((k) => !isSystem(k)).map((k) => `metrics.${k}`)} onChange={(next) => change({ target: next.slice(8), axes: null })} />}
      <MenuButton look="ghost" icon="down" label={t.colourBy} align="start" entries={() => colouring.slice(0, 100).map((c): MenuEntry => ({ label: c === "run" ? t.byRun : axisName(c), checked: c === coloured, onSelect: () => change({ colour: c }) }))}><span className="muted">{t.colourBy}</span> <span className="ell sortname">{coloured === "run" ? t.byRun : axisName(coloured)}</span></MenuButton>
    </>
  );
  const after = (
    <>
      {found.missing > 0 && <span className="chip warn">{t.missingRuns(found.missing)}</span>}
      {rows.length > 0 && !found.waiting && found.inside !== null && chosen.length < found.inside && <span className="chip num" data-testid="sample">{t.drawnOf(formatCount(chosen.length, locale), formatCount(found.inside, locale))}</span>}
      {view.brush.length > 0 && <span className="chip num" data-testid="in-brush">{t.inBrush(found.inside === null ? "…" : formatCount(found.inside, locale), formatCount(found.total, locale))}</span>}
      {view.brush.length > 0 && <Button look="ghost" icon="x" onClick={() => change({ brush: [] })}>{t.clearBrush}</Button>}
    </>
  );
  return (
    <main id="main" className="page" tabIndex={-1}>
      <Top crumbs={[...crumbs, { label: asked ? t.compareRuns(count) : t.compare }]} running={rows.filter((r) => isRunning(r.run)).length} after={phone ? undefined : after}>
        {rows.length > 0 && (phone
          ? <MenuButton icon="more" label={t.more} entries={() => [...filtering, ...files, link]} />
          : (
            <span className="row">
              {filters && <Button icon="filter" onClick={show}>{t.toFilter}</Button>}
              {choices}
              <MenuButton icon="download" label={t.exportRuns} entries={() => files}>{t.exportRuns}</MenuButton>
              <Button icon="share" onClick={link.onSelect}>{t.copyLink}</Button>
            </span>
          ))}
      </Top>
      {rows.length > 0 && (
        <nav className="tabs" aria-label={t.compare}>
          {COMPARE_PARTS.map((part) => <Link key={part} to={comparePath({ ...view, part })} className={view.part === part ? "on" : ""} aria-current={view.part === part ? "page" : undefined}>{names[part]}</Link>)}
        </nav>
      )}
      <div className="body">
        {phone && rows.length > 0 && <div className="row cchoices">{choices}{after}</div>}
        {found.sampledBy !== undefined && rows.length > 0 && <p className="muted csample" data-testid="sampled">{t.sampledBy(formatCount(BEST_RUNS, locale), found.sampledBy)}</p>}
        {!asked && <EmptyState title={t.noneChosen}><p>{t.chooseRuns}</p><Link to="/experiments" className="btn">{t.experiments}</Link></EmptyState>}
        {found.error && (rows.length === 0 || found.inside === null) && <ErrorBox error={found.error} />}
        {found.waiting && rows.length === 0 && <SkeletonRows rows={10} />}
        {asked && !found.waiting && !found.error && rows.length === 0 && (
          <EmptyState title={found.missing ? t.missingRuns(found.missing) : t.noRunFound}>
            {found.missing > 0 && <p>{t.goneText}</p>}
            {only ? <Link to={experimentPath(only.experiment_id)} className="btn">{t.goTo(only.name)}</Link> : <Link to="/experiments" className="btn">{t.toExperiments}</Link>}
          </EmptyState>
        )}
        {rows.length > 0 && (view.part === "all" ? parts.all : <div className="cone">{parts[view.part]}</div>)}
      </div>
    </main>
  );
}
