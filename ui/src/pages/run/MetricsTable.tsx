import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { formatCount, formatNumber } from "../../model/format";
import { matchesGlob } from "../../model/metrics";
import { locale, t } from "../../i18n";
import { Spark } from "../../charts/Spark";
import { Icon } from "../../ui/Icon";
import { ChangeText, useAgainst } from "./useAgainst";
import type { RunMetrics } from "./useRunMetrics";

const ROW = 30;

interface Props {
  experimentId: string;
  runId: string;
  keys: string[];
  metrics: RunMetrics;
  live: boolean;
}

/**
 * Every metric with its latest, least and greatest value and where these were, and its change against the experiment's
 * baseline; only the rows in sight are mounted.
 */
export function MetricsTable({ experimentId, runId, keys, metrics, live }: Props) {
  const against = useAgainst(experimentId, runId, metrics);
  const [search, setSearch] = useState("");
  const pane = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => keys.filter((key) => matchesGlob(key, search)), [keys, search]);
  const rows = useVirtualizer({ count: shown.length, getScrollElement: () => pane.current, estimateSize: () => ROW, overscan: 8 });
  const value = (v: number | null, at: number | null, best = false) => (
    <td className={`num${v !== null && !Number.isFinite(v) ? " bad" : ""}`}>{best ? <b>{formatNumber(v, locale)}</b> : formatNumber(v, locale)}{at !== null && <span className="muted at"> {t.atStep(formatCount(at, locale))}</span>}</td>
  );
  const items = rows.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = rows.getTotalSize() - (items[items.length - 1]?.end ?? 0);
  return (
    <section className="card mtable">
      <div className="padded bar"><label className="search wide"><Icon name="search" small /><input value={search} placeholder={t.searchMetrics} aria-label={t.searchMetrics} title={t.searchHint} spellCheck={false} onChange={(e) => setSearch(e.target.value)} /></label></div>
      {shown.length === 0 && <p className="note">{t.noMetricMatches}</p>}
      <div className="scroll" ref={pane} tabIndex={0} role="region" aria-label={t.metrics}>
        <table className="plain" aria-rowcount={shown.length + 1}>
          <thead><tr><th className="l">{t.metrics}</th><th className="hide-s" aria-label={t.curves} /><th>{t.lastValue}</th><th>{t.min}</th><th>{t.max}</th>{against.name !== null && <th title={against.name}>{t.againstBase}</th>}</tr></thead>
          <tbody>
            {before > 0 && <tr aria-hidden="true" style={{ height: before }}><td colSpan={6} /></tr>}
            {items.map(({ index }) => {
              const key = shown[index]!;
              const cell = metrics.cells[key]!;
              const [lower, directed] = [against.lower(key), against.directed(key)];
              const change = against.name === null ? null : against.change(key);
              return (
                <tr key={key} aria-rowindex={index + 2} data-testid="metric-row" data-key={key}>
                  <td className="l ell" title={key}>{key}</td>
                  <td className="hide-s"><Spark runId={runId} metric={key} slot={0} live={live} /></td>
                  {value(cell.last, cell.step)}{value(cell.min, cell.minStep, directed && lower)}{value(cell.max, cell.maxStep, directed && !lower)}
                  {against.name !== null && <td className="num" data-testid="against">{change ? <ChangeText against={change} name={against.name} /> : <span className="dim">–</span>}</td>}
                </tr>
              );
            })}
            {after > 0 && <tr aria-hidden="true" style={{ height: after }}><td colSpan={6} /></tr>}
          </tbody>
        </table>
      </div>
    </section>
  );
}
