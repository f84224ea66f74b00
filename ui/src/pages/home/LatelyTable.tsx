import type { Row } from "../../api/table";
import { formatAgo, formatDuration } from "../../model/format";
import { durationOf } from "../../model/status";
import { locale, t } from "../../i18n";
import { StatusGlyph } from "../../parts/Status";
import { useNow } from "../../ui/hooks";
import { Link } from "../../ui/router";
import { experimentPath, runPath } from "../../url/routes";

export function LatelyTable({ rows, names }: { rows: Row[]; names: Map<string, string> }) {
  const now = useNow();
  return (
    <section>
      <div className="hd"><h2>{t.finishedLately}</h2></div>
      <div className="card">
        <table className="plain lately">
          <thead><tr><th className="l">{t.run}</th><th className="l hide-s">{t.experiment}</th><th>{t.duration}</th><th>{t.ended}</th></tr></thead>
          <tbody>
            {rows.map(({ run }) => (
              <tr key={run.run_id}>
                <td className="l"><span className="row"><StatusGlyph status={run.status} /><Link className="ell rlink" to={runPath(run.experiment_id, run.run_id)}>{run.name}</Link></span></td>
                <td className="l hide-s"><Link className="ell sec" to={experimentPath(run.experiment_id)}>{names.get(run.experiment_id) ?? run.experiment_id}</Link></td>
                <td className="sec">{formatDuration(durationOf(run, now))}</td>
                <td className="muted">{formatAgo(run.end_time, now, locale)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
