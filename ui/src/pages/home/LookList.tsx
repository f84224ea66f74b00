import type { Row } from "../../api/table";
import { formatAgo } from "../../model/format";
import { locale, t } from "../../i18n";
import { StatusGlyph } from "../../parts/Status";
import { useNow } from "../../ui/hooks";
import { Link } from "../../ui/router";
import { runPath } from "../../url/routes";

/** Runs that failed or were stopped, with the reason as a sentence. */
export function LookList({ rows, reason }: { rows: Row[]; reason: (row: Row) => string }) {
  const now = useNow();
  return (
    <section>
      <div className="hd"><h2>{t.needsALook}</h2>{rows.length > 0 && <span className="muted num">{rows.length}</span>}</div>
      <div className="card list">
        {rows.length === 0 && <p className="li muted">{t.nothingToLook}</p>}
        {rows.map((row) => (
          <Link key={row.run.run_id} className="li look" to={runPath(row.run.experiment_id, row.run.run_id)}>
            <StatusGlyph status={row.run.status} />
            <span className="grow two"><b className="ell">{row.run.name}</b><span className="ell muted">{reason(row)}</span></span>
            <span className="muted num">{formatAgo(row.run.end_time ?? row.run.start_time, now, locale)}</span>
          </Link>
        ))}
      </div>
    </section>
  );
}
