import { useCallback, useMemo, useRef, useState, type CSSProperties } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { pinBaseline } from "../../api/answers";
import { ApiError } from "../../api/http";
import { allIds } from "../../api/table";
import type { Group } from "../../api/tableGroups";
import { t } from "../../i18n";
import { plainSort } from "../../model/columns";
import { BASELINE_TAG } from "../../model/criterion";
import { isRunning } from "../../model/status";
import { nest } from "../../model/nest";
import { assignSlots, slotOf, toggleSlot } from "../../model/slots";
import { useColumns, useExperiments, useRefresh } from "../../parts/queries";
import { useUndoKey } from "../../parts/undo";
import { useVisit } from "../../parts/recent";
import { experimentCrumbs, Top } from "../../parts/Top";
import { EmptyStart } from "../../parts/EmptyStart";
import { Segment } from "../../ui/Button";
import { useMedia, useStore, useStored, useTitle } from "../../ui/hooks";
import { printing } from "../../ui/printing";
import { Link, navigate, useView } from "../../ui/router";
import { Splitter } from "../../ui/Splitter";
import { EmptyState, ErrorBox } from "../../ui/States";
import { complain } from "../../ui/toast";
import { comparePath } from "../../url/compare";
import { partOfSearch } from "./partOfSearch";
import { formatExperiment, formatFrom, parseExperiment, type Layout } from "../../url/experiment";
import { experimentPath, runPath } from "../../url/routes";
import "../../styles/experiment.css";
import "../../styles/table.css";
import { ChartsPane } from "./ChartsPane";
import { FilterBar } from "./FilterBar";
import { FourAnswers } from "./FourAnswers";
import { PageMenu } from "./PageMenu";
import { PaperTable } from "./PaperTable";
import { RunsList } from "./RunsList";
import { RunsPane } from "./RunsPane";
import { useTableKeys } from "./useTableKeys";
import { useBaseline, useDiffering, useMain, useRows, useSlots, useSort, useTableColumns } from "./useExperiment";
import { useLines } from "./useLines";
import { useSavedViews } from "./useSavedViews";
import { ViewMenu } from "./ViewMenu";

const SPLIT = 60;
/** More runs than this are a part of their search. */
const MOST_NAMED = 50;

export default function ExperimentPage({ experimentId }: { experimentId: string }) {
  const [asked, change] = useView(parseExperiment, formatExperiment);
  const client = useQueryClient();
  const experiments = useExperiments("all");
  const experiment = experiments.data?.find((e) => e.experiment_id === experimentId);
  const pinned = experiment?.tags[BASELINE_TAG] ?? "";
  const view = useMemo(() => (asked.base || !pinned ? asked : { ...asked, base: pinned }), [asked, pinned]);
  const columns = useColumns([experimentId]);
  const { views, ready } = useSavedViews(experimentId, asked);
  const main = useMain(columns.data, experiment?.tags, view);
  const sort = useSort(view, main);
  const chosen = useTableColumns(view, columns.data, main);
  const [hold, setHold] = useState(false);
  const known = columns.data !== undefined && ready;
  const { store, state, query } = useRows(experimentId, view, sort, chosen, main, known, hold);
  const nested = useMemo(() => nest(state.rows, sort), [state.rows, sort]);
  const { rows } = nested;
  const shown = useDiffering(query, chosen, state.rows, view.diff);
  const { lines, groups } = useLines(view, sort, chosen, main, query, store, state, nested, known);
  const base = useBaseline(view.base, rows, query);
  const from = useMemo(() => formatFrom({ q: view.q, sort: sort.map(({ key, desc }) => ({ key: plainSort(key, main.lower), desc })), deleted: view.deleted }), [view.q, view.deleted, sort, main]);
  const slots = useSlots(view, state.rows, main);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [cursor, setCursor] = useState(-1);
  const filterInput = useRef<HTMLInputElement>(null);
  const [split, setSplit] = useStored(`logbuch.split.${experimentId}`, String(SPLIT));
  // Paper is as narrow as a phone, but has room below.
  const paper = useStore(printing);
  const phone = useMedia("(max-width: 720px)") && !paper;
  const narrow = useMedia("(max-width: 960px)") && !paper;
  useRefresh(["columns", "experiments"], 3000);
  useTitle(experiment?.name ?? "");
  useVisit("experiment", experimentPath(experimentId), experiment?.name);

  const draw = useCallback((id: string) => change({ draw: toggleSlot(slots, id) }, true), [change, slots]);
  const setBase = useCallback((id: string) => {
    if (asked.base) change({ base: "" });
    void pinBaseline(experimentId, view.base === id ? "" : id).then(() => client.invalidateQueries({ predicate: ({ queryKey }) => ["experiments", "best"].includes(String(queryKey[0])) }));
  }, [asked.base, change, client, experimentId, view.base]);
  const compare = useCallback(() => {
    const order = new Map(rows.map((r, i) => [r.run.run_id, i]));
    const ids = [...selected].sort((a, b) => (order.get(a) ?? Infinity) - (order.get(b) ?? Infinity));
    if (ids.length < 2) return;
    if (ids.length <= MOST_NAMED) return navigate(comparePath({ runs: ids, base: view.base && ids.includes(view.base) ? view.base : "" }));
    const search = { experiments: [experimentId], q: view.q, deleted: view.deleted, base: view.base };
    partOfSearch(selected, state.total, query).then((some) => navigate(comparePath({ ...search, some }))).catch(complain);
  }, [rows, selected, view.base, view.q, view.deleted, experimentId, state.total, query]);
  const open = useCallback((id: string) => navigate(runPath(experimentId, id), { from }), [experimentId, from]);
  const select = useCallback((ids: string[], on: boolean) => setSelected((old) => {
    const next = new Set(old);
    for (const id of ids) if (on) next.add(id); else next.delete(id);
    return next;
  }), []);

  const layout: Layout = narrow && view.layout === "both" ? "table" : view.layout;
  const selectRange = useCallback((first: number, last: number, on: boolean) => {
    const items = Array.from({ length: last - first + 1 }, (_, i) => lines.at(first + i));
    const known = items.flatMap((item) => (item?.kind === "run" ? [item.row.run.run_id] : []));
    if (lines.grouped || known.length === items.length) return select(known, on);
    void store.rowsBetween(first, last).then((found) => select(found.map((row) => row.run.run_id), on));
  }, [lines, store, select]);
  const selectAll = useCallback(async () => setSelected(new Set(await allIds(query))), [query]);
  const toggleGroup = useCallback((group: Group) => change({ open: view.open.includes(group.id) ? view.open.filter((id) => id !== group.id) : [...view.open, group.id] }, true), [change, view.open]);
  const changed = useCallback(() => {
    void store.reload();
    void groups.refresh();
    void client.invalidateQueries({ predicate: ({ queryKey }) => ["columns", "experiments", "table", "run"].includes(String(queryKey[0])) });
  }, [store, groups, client]);

  useUndoKey();
  useTableKeys({
    lines, cursor, setCursor, toggleGroup, draw, open, setBase, compare,
    toggle: (id) => select([id], !selected.has(id)),
    clear: () => (selected.size ? setSelected(new Set()) : change({ zoom: null }, true)),
    filter: () => filterInput.current?.focus(),
    differing: () => change({ diff: !view.diff }),
    layout: (next) => change({ layout: next }),
  });

  if (experiments.data && !experiment) return <main id="main" className="page" tabIndex={-1}><Top crumbs={experimentCrumbs(experimentId)} live={false} /><div className="body"><EmptyState title={t.noExperiment}><p>{t.goneText}</p><Link to="/experiments" className="btn">{t.toExperiments}</Link></EmptyState></div></main>;
  if (columns.error && !columns.data) return <main id="main" className="page" tabIndex={-1}><ErrorBox error={columns.error} onRetry={() => void columns.refetch()} /></main>;

  const running = experiment?.running ?? state.rows.filter((r) => isRunning(r.run)).length;
  const empty = columns.data?.runs === 0 && !view.deleted && !view.q && state.rows.length === 0;
  const options: { value: Layout; label: string; icon: "table" | "split" | "chart" }[] = [
    { value: "table", label: t.layoutTable, icon: "table" },
    ...(narrow ? [] : [{ value: "both" as const, label: t.layoutBoth, icon: "split" as const }]),
    { value: "charts", label: t.layoutCharts, icon: "chart" },
  ];
  const lead = state.rows.find((r) => slotOf(slots, r.run.run_id) !== null && !isRunning(r.run))?.run.run_id ?? null;
  const table = {
    rows, lines, nested, from, state, asked: query, view, change, columns: shown, sort, main, slots, selected, cursor, base, experimentId,
    onDraw: draw, onSelect: select, onSelectRange: selectRange, onSelectAll: selectAll, onCursor: setCursor, onBase: setBase, onOpen: open, onToggleGroup: toggleGroup,
    onRelease: () => store.release(), onHold: setHold, onCompare: compare, onClearSelection: () => setSelected(new Set()), onChanged: changed,
    onDrawSelected: () => change({ draw: assignSlots(slots, [...selected]) }, true),
  };
  // Kept settings of charts go into the address, which a saved view may still become.
  const charts = !ready ? null : <ChartsPane experimentId={experimentId} view={view} change={change} columns={columns.data} main={main} rows={state.rows} slots={slots} lead={lead} ready={!state.fresh} failed={state.fresh && state.error !== null} />;
  return (
    <main id="main" className="page" tabIndex={-1}>
      <Top crumbs={experimentCrumbs(experiment?.name ?? "")} running={running} alerts={{ experiment: experimentId }}>
        <ViewMenu experimentId={experimentId} view={asked} views={views} />
        {!phone && <Segment label={t.layout} value={layout} options={options} onChange={(next) => change({ layout: next })} />}
        <PageMenu experimentId={experimentId} experiment={experiment} view={view} sort={sort} shown={shown} main={main} change={change} />
      </Top>
      {empty
        ? <div className="body"><EmptyStart name={experiment?.name} /></div>
        : (
          <>
            <FourAnswers experimentId={experimentId} view={view} filter={state.filter} first={rows[0] ?? null} from={from} columns={columns.data} main={main} slots={slots} total={state.total} change={change} />
            <FilterBar inputRef={filterInput} view={view} change={change} columns={columns.data} state={state} all={chosen} hidden={chosen.length - shown.length} sort={sort} main={main} />
            {phone
              ? <div className="phone"><div className="phone-charts">{charts}</div><RunsList {...table} /></div>
              : (
                <div className={`split ${layout}`} style={{ "--split": `${split}%` } as CSSProperties}>
                  {paper && layout !== "charts" && <PaperTable {...table} />}
                  {layout !== "charts" && <RunsPane {...table} all={chosen} />}
                  {layout === "both" && <Splitter value={Number(split)} fallback={SPLIT} onChange={(value) => setSplit(String(value))} />}
                  {layout !== "table" && charts}
                </div>
              )}
          </>
        )}
      {state.error instanceof ApiError && state.error.offline && <span className="vh" role="alert">{t.offline}</span>}
    </main>
  );
}
