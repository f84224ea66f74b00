import { useDeferredValue, useMemo, useState } from "react";
import { ALONE, matchesGlob, sections } from "../model/metrics";
import { t } from "../i18n";
import { Icon } from "../ui/Icon";
import { lazily } from "../ui/lazily";
import { EmptyState } from "../ui/States";
import { ownKey, type BoardView, type OwnChart } from "../url/board";
import { ChartBar } from "./ChartBar";
import { ChartCard } from "./ChartCard";
import type { GroupSource } from "../api/groupBuckets";
import type { Mark } from "./marks";
import type { ChartSpec, DrawnRun } from "./types";

const OwnChartDialog = lazily(async () => (await import("./OwnChartDialog")).OwnChartDialog);

export interface BoardProps {
  keys: readonly string[];
  /** A metric that gets the first, wide card; null when all are equal. */
  main: string | null;
  drawn: DrawnRun[];
  context?: DrawnRun[];
  /** With groups their means and bands are drawn in place of runs. */
  groups?: GroupSource | null;
  view: BoardView;
  change: (part: Partial<BoardView>) => void;
  lead: string | null;
  lower?: (key: string) => boolean;
  syncKey: string;
  /** Findings, drawn into the charts of their metrics where x is the step. */
  marks?: readonly Mark[];
  /** Said in place of the charts when there is nothing to draw. */
  nothing?: string;
}

const WIDE = 268;
const SMALL = 136;

const specOf = (key: string): ChartSpec => ({ id: key, title: key.startsWith("system/") ? key.slice(7) : key, keys: [key] });
const ownSpec = (own: OwnChart): ChartSpec => ({ id: ownKey(own), title: own.title, keys: own.keys, own });

/** All charts of some runs, with the bar above them: own charts first, the main one wide, the others in foldable sections by namespace. */
export function Board(props: BoardProps) {
  const { keys, main, view, change, nothing } = props;
  const search = useDeferredValue(view.charts);
  const [editing, setEditing] = useState<OwnChart | "new" | null>(null);
  const shown = useMemo(() => keys.filter((key) => matchesGlob(key, search)), [keys, search]);
  const groups = useMemo(() => sections(shown.filter((key) => key !== main)), [shown, main]);
  const own = useMemo(() => view.own.filter((c) => !search || matchesGlob(c.title, search) || c.keys.some((key) => matchesGlob(key, search))), [view.own, search]);
  const ownSpecs = useMemo(() => own.map(ownSpec), [own]);
  const specs = useMemo(() => new Map(keys.map((key) => [key, specOf(key)])), [keys]);
  const card = (spec: ChartSpec, height: number) => (
    <ChartCard key={spec.id} spec={spec} drawn={props.drawn} context={height === WIDE ? props.context : undefined} groups={props.groups} view={view} change={change}
      lower={props.lower?.(spec.keys[0]!)} lead={props.lead} height={height} syncKey={props.syncKey} marks={props.marks} onEdit={spec.own && (() => setEditing(spec.own!))} />
  );
  const save = (chart: OwnChart) => {
    change({ own: editing === "new" ? [...view.own, chart] : view.own.map((c) => (c === editing ? chart : c)) });
    setEditing(null);
  };
  const toggle = (namespace: string) => change({ fold: view.fold.includes(namespace) ? view.fold.filter((f) => f !== namespace) : [...view.fold, namespace] });
  const empty = shown.length + own.length === 0;
  return (
    <>
      <ChartBar count={shown.length + own.length} view={view} keys={keys} grouped={Boolean(props.groups)} change={change} onNew={() => setEditing("new")} />
      {nothing && keys.length > 0 && <EmptyState title={nothing} />}
      {!nothing && empty && (keys.length ? <EmptyState title={t.noChart}><p>{t.searchHint}</p><button type="button" className="btn" onClick={() => change({ charts: "" })}>{t.allCharts}</button></EmptyState> : <EmptyState title={t.noMetrics}><p>{t.noMetricsHint}</p></EmptyState>)}
      {!nothing && ownSpecs.length > 0 && <div className="grid2 owncharts">{ownSpecs.map((spec) => card(spec, WIDE))}</div>}
      {!nothing && main !== null && shown.includes(main) && card(specs.get(main)!, WIDE)}
      {!nothing && groups.map(({ namespace, keys: list }) => {
        const open = !view.fold.includes(namespace);
        return (
          <div key={namespace} className="section">
            <h2 className="ns">
              <button type="button" aria-expanded={open} onClick={() => toggle(namespace)}>
                <Icon name={open ? "down" : "right"} small />
                {namespace === ALONE ? t.singleCharts : namespace || t.metrics} <span className="muted">{list.length}</span>
              </button>
            </h2>
            {open && <div className="grid2">{list.map((key) => card(specs.get(key)!, SMALL))}</div>}
          </div>
        );
      })}
      {editing !== null && <OwnChartDialog chart={editing === "new" ? null : editing} taken={view.own.filter((c) => c !== editing).map((c) => c.title)} keys={keys} onSave={save} onClose={() => setEditing(null)} />}
    </>
  );
}
