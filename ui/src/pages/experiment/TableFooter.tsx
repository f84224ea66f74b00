import { memo } from "react";
import { digitsFor, formatCount, formatValue } from "../../model/format";
import { keyNames, locale, t } from "../../i18n";
import { metricValue, sortedMetric } from "../../model/columns";
import { isRunning } from "../../model/status";
import type { TableProps } from "./tableTypes";

/** Number of runs and drawn ones, mean and deviation of the sorted metric, the keys. */
export const TableFooter = memo(function TableFooter({ rows, state, sort, slots, lines, main }: TableProps) {
  const metric = sort[0] ? sortedMetric(sort[0].key) : null;
  const values = metric === null ? [] : rows.filter((r) => !isRunning(r.run)).map((r) => metricValue(r, metric.key, metric.aggregate, main.lower(metric.key)) ?? NaN).filter(Number.isFinite);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / Math.max(1, values.length - 1));
  const digits = digitsFor([mean]);
  return (
    <div className="tfoot">
      <span>{t.runs(state.total)}</span>
      {lines.grouped && !lines.grouped.fresh && <span>{lines.grouped.groups.length < lines.grouped.total ? `${formatCount(lines.grouped.groups.length, locale)} ${t.ofN(t.groups(lines.grouped.total))}` : t.groups(lines.grouped.total)}</span>}
      <span>{t.drawn(slots.filter(Boolean).length)}</span>
      {values.length > 1 && rows.length >= state.total && <span className="ell">{t.mean} <b>{formatValue(mean, digits, locale)} ± {formatValue(deviation, digits, locale)}</b></span>}
      <span className="grow" />
      <span className="hint"><kbd>{keyNames("Space")}</kbd> {t.drawMenu.toLowerCase()}</span>
      <span className="hint"><kbd>B</kbd> {t.baseline}</span>
      <span className="hint"><kbd>?</kbd> {t.keys}</span>
    </div>
  );
});
