import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import type { RunStatus } from "../api/runs";
import { queryTable } from "../api/table";
import { equals, isPlain, toFilter } from "../model/filter";
import { best } from "../model/fuzzy";
import { t } from "../i18n";
import type { IconName } from "../ui/Icon";
import { navigate } from "../ui/router";
import { DEFAULT_BOARD, formatBoardSearch } from "../url/board";
import { formatExperiment, parseExperiment } from "../url/experiment";
import { experimentPath, runPath, type Route } from "../url/routes";
import { allCommands, type Command } from "./commands";
import { useColumns, useExperiments } from "./queries";
import { recentVisits } from "./recent";

export interface Item {
  id: string;
  section: string;
  name: string;
  /** Places of the found letters in the name. */
  at: number[];
  hint?: string;
  key?: string;
  icon?: IconName;
  status?: RunStatus;
  run: () => void;
}

const [FEW, MANY] = [6, 30];
const SETTLE_MS = 120;
/** Experiments whose runs are searched by name; more would make a slow question. */
const SEARCHED = 200;

function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}


/** Runs whose name holds a text, by the server, newest first. */
function useRunSearch(text: string, enabled: boolean) {
  const wish = useSettled(text.trim());
  const { data } = useExperiments("active");
  const experiments = useMemo(() => data ?? [], [data]);
  const ids = useMemo(() => [...experiments].sort((a, b) => (b.last_run_time ?? 0) - (a.last_run_time ?? 0)).slice(0, SEARCHED).map((e) => e.experiment_id), [experiments]);
  const names = useMemo(() => new Map(experiments.map((e) => [e.experiment_id, e.name])), [experiments]);
  const byId = /^[0-9a-f]{8,32}$/i.test(wish);
  const filter = byId ? `attributes.run_id LIKE '${wish.toLowerCase()}%'` : toFilter(wish);
  const found = useQuery({
    queryKey: ["palette", filter, ids], enabled: enabled && wish.length > 1 && (byId || isPlain(wish)) && ids.length > 0, staleTime: 10_000,
    queryFn: ({ signal }) => queryTable({ experiment_ids: ids, filter, order_by: ["attributes.start_time DESC"], max_results: 12 }, signal),
  });
  return { rows: wish.length > 1 ? (found.data?.rows ?? []) : [], names, searching: wish !== text.trim() || found.isFetching };
}

/** The page's experiment, for its metrics and tags. */
const experimentOf = (route: Route) => (route.page === "experiment" || route.page === "run" ? route.experimentId : null);

function filterBy(experimentId: string, search: string, q: string): void {
  const before = parseExperiment(search);
  navigate(experimentPath(experimentId) + formatExperiment({ ...before, q }));
}


/** What the palette offers for a text: first what is loaded, then what the server finds. `>` are commands, `#` tags, `/` a filter. */
export function usePaletteItems(text: string, route: Route, search: string): { items: Item[]; searching: boolean } {
  const mode = /^[>#/]/.test(text) ? text[0]! : "";
  const wish = useDeferredValue(mode ? text.slice(1) : text);
  const here = experimentOf(route);
  const experiments = useExperiments("active");
  const columns = useColumns(here === null ? [] : [here]);
  const runs = useRunSearch(wish, mode === "");
  const [commands] = useState(allCommands);
  const [visits] = useState(recentVisits);

  const items = useMemo<Item[]>(() => {
    const out: Item[] = [];
    const add = <T,>(section: string, things: readonly T[], nameOf: (t: T) => string, most: number, item: (t: T) => Omit<Item, "id" | "section" | "at" | "name">) => {
      for (const { thing, at } of best(wish, things, nameOf, most)) out.push({ id: `${section}|${out.length}`, section, name: nameOf(thing), at, ...item(thing) });
    };
    const addCommands = (most: number) => add(t.commands, commands, (c: Command) => c.label, most, ({ icon, key, run }) => ({ icon, key, run }));
    const tags = (columns.data?.tags ?? []).filter(({ key }) => !/^(mlflow|logbuch)\./.test(key)).flatMap(({ key, values }) => values.slice(0, 20).map((value) => ({ key, value })));
    if (mode === ">") addCommands(MANY);
    else if (mode === "#") add(t.tags, here === null ? [] : tags, ({ key, value }) => `${key} = ${value}`, MANY, ({ key, value }) => ({ icon: "tag", run: () => filterBy(here!, search, equals(`tags.${key}`, value)) }));
    else if (mode === "/") {
      if (here !== null && wish.trim()) out.push({ id: "filter", section: t.commands, name: t.filterWith(wish.trim()), at: [], icon: "filter", key: "F", run: () => filterBy(here, search, wish.trim()) });
    } else {
      if (!wish.trim()) for (const visit of visits.slice(0, FEW)) out.push({ id: `r|${visit.path}`, section: t.recent, name: visit.name, at: [], icon: visit.kind === "run" ? "chart" : "flask", run: () => navigate(visit.path) });
      for (const { run } of runs.rows.slice(0, wish.trim() ? 8 : 0)) {
        const [match] = best(wish, [run.name], (n) => n, 1);
        out.push({ id: `run|${run.run_id}`, section: t.runsHead, name: run.name, at: match?.at ?? [], hint: runs.names.get(run.experiment_id), status: run.status, run: () => navigate(runPath(run.experiment_id, run.run_id)) });
      }
      add(t.experiments, experiments.data ?? [], (e) => e.name, FEW, (e) => ({ icon: "flask", hint: t.runs(e.runs), run: () => navigate(experimentPath(e.experiment_id)) }));
      if (here !== null && wish.trim()) add(t.metrics, columns.data?.metrics ?? [], (m) => m.key, FEW, (m) => ({ icon: "chart", hint: t.chart, run: () => openMetric(route, search, m.key) }));
      addCommands(wish.trim() ? FEW : 8);
    }
    return out;
  }, [mode, wish, commands, visits, experiments.data, columns.data, runs.rows, runs.names, here, search, route]);
  return { items, searching: mode === "" && wish.trim().length > 1 && runs.searching };
}

/** Shows the chart of a metric: the charts of the page searched for it. */
function openMetric(route: Route, search: string, key: string): void {
  if (route.page === "run") return navigate(runPath(route.experimentId, route.runId, "metrics") + formatBoardSearch({ ...DEFAULT_BOARD, charts: key }));
  if (route.page !== "experiment") return;
  const view = parseExperiment(search);
  navigate(experimentPath(route.experimentId) + formatExperiment({ ...view, charts: key, layout: view.layout === "table" ? "both" : view.layout }));
}
