import { useMemo, useState } from "react";
import { matchesGlob, sections } from "../model/metrics";
import { t } from "../i18n";
import { Icon } from "../ui/Icon";
import { EmptyState } from "../ui/States";
import { ChartCard } from "./ChartCard";
import type { Span } from "./scale";
import type { ChartSettings, DrawnRun } from "./types";

export interface BoardProps {
  keys: readonly string[];
  /** A metric that gets the first, wide card; null when all are equal. */
  main: string | null;
  drawn: DrawnRun[];
  context?: DrawnRun[];
  settings: ChartSettings;
  logKeys: readonly string[];
  search?: string;
  lead: string | null;
  lower?: (key: string) => boolean;
  syncKey: string;
  onZoom: (span: Span | null) => void;
  onLog: (key: string, log: boolean) => void;
}

const WIDE = 268;
const SMALL = 136;

/** All charts of some runs: the main one wide on top, the others in foldable sections by namespace. */
export function Board(props: BoardProps) {
  const { keys, main, search = "" } = props;
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const shown = useMemo(() => keys.filter((key) => matchesGlob(key, search)), [keys, search]);
  const groups = useMemo(() => sections(shown.filter((key) => key !== main)), [shown, main]);
  const card = (key: string, height: number) => (
    <ChartCard key={key} metric={key} title={key.startsWith("system/") ? key.slice(7) : undefined} drawn={props.drawn} context={height === WIDE ? props.context : undefined} settings={props.settings} log={props.logKeys.includes(key)}
      lower={props.lower?.(key)} lead={props.lead} height={height} syncKey={props.syncKey} onZoom={props.onZoom} onLog={(log) => props.onLog(key, log)} />
  );
  const toggle = (namespace: string) => setFolded((old) => {
    const next = new Set(old);
    if (!next.delete(namespace)) next.add(namespace);
    return next;
  });
  if (!shown.length) return <EmptyState title={keys.length ? t.noChart : t.noMetrics} />;
  return (
    <>
      {main !== null && shown.includes(main) && card(main, WIDE)}
      {groups.map(({ namespace, keys: list }) => {
        const open = !folded.has(namespace);
        return (
          <div key={namespace} className="section">
            <h2 className="ns">
              <button type="button" aria-expanded={open} onClick={() => toggle(namespace)}>
                <Icon name={open ? "down" : "right"} small />
                {namespace || t.metrics} <span className="muted">{list.length}</span>
              </button>
            </h2>
            {open && <div className="grid2">{list.map((key) => card(key, SMALL))}</div>}
          </div>
        );
      })}
    </>
  );
}
