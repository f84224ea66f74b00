import { useState } from "react";
import { formatCount } from "../../model/format";
import { locale, t } from "../../i18n";
import { Button } from "../../ui/Button";
import type { Table } from "./preview";

const ROWS = 200;

/** A table of texts, so many rows at a time. */
export function TableView({ head, body }: Table) {
  const [page, setPage] = useState(0);
  const last = Math.max(0, Math.ceil(body.length / ROWS) - 1);
  const at = Math.min(page, last);
  const rows = body.slice(at * ROWS, (at + 1) * ROWS);
  const shown = t.rowsOf(formatCount(at * ROWS + 1, locale), formatCount(at * ROWS + rows.length, locale), formatCount(body.length, locale));
  return (
    <>
      {last > 0 && (
        <div className="stepper">
          <Button look="ghost" className="tiny" icon="left" aria-label={t.previousRows} disabled={at === 0} onClick={() => setPage(at - 1)} />
          <span className="num" role="status">{shown}</span>
          <Button look="ghost" className="tiny" icon="right" aria-label={t.nextRows} disabled={at === last} onClick={() => setPage(at + 1)} />
        </div>
      )}
      <div key={at} className="csv" tabIndex={0} role="region" aria-label={t.preview}>
        <table className="plain"><thead><tr>{head.map((c, i) => <th key={i} className="l">{c}</th>)}</tr></thead>
          <tbody>{rows.map((row, r) => <tr key={r}>{head.map((_, i) => <td key={i} className="l" title={row[i]}>{row[i]}</td>)}</tr>)}</tbody></table>
      </div>
    </>
  );
}
