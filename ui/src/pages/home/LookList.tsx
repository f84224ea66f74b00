import { formatAgo, formatDuration } from "../../model/format";
import type { Problem } from "../../model/problems";
import { durationOf } from "../../model/status";
import { locale, t } from "../../i18n";
import { StatusGlyph } from "../../parts/Status";
import { Glyph } from "../../ui/Glyph";
import { useNow } from "../../ui/hooks";
import { SkeletonRows } from "../../ui/States";
import { Link } from "../../ui/router";
import { runPath } from "../../url/routes";
import type { Look } from "./useLook";

function sentence(problem: Problem, { row: { run } }: Look, now: number): string {
  const took = formatDuration(durationOf(run, now));
  switch (problem.kind) {
    case "failed":
      return problem.reason ?? t.reasonFailed(took);
    case "broken":
      return t.endedIn(problem.word, problem.key);
    case "silent":
      return t.silentFor(formatAgo(problem.since, now, locale));
    case "gone":
      return t.processGone;
    case "lost":
      return t.recordsLost(problem.count);
  }
}

const SHOWN = 8;

/** What should be looked at, with the reasons as a sentence and the experiment beside them. */
export function LookList({ found, waiting, names }: { found: Look[]; waiting: boolean; names: Map<string, string> }) {
  const now = useNow();
  return (
    <section>
      <div className="hd"><h2>{t.needsALook}</h2>{found.length > 0 && <span className="muted num">{found.length}</span>}</div>
      <div className="card list" data-testid="look-list">
        {waiting && <SkeletonRows rows={4} />}
        {found.length === 0 && !waiting && <p className="li muted">{t.nothingToLook}</p>}
        {found.slice(0, SHOWN).map((look) => {
          const { run } = look.row;
          const text = look.problems.map((p) => sentence(p, look, now)).join("; ");
          const name = names.get(run.experiment_id) ?? run.experiment_id;
          const odd = run.status !== "FAILED" && run.status !== "KILLED";
          return (
            <Link key={run.run_id} className="li look" to={runPath(run.experiment_id, run.run_id)}>
              {odd ? <Glyph name="WARN" /> : <StatusGlyph status={run.status} />}
              <span className="grow two">
                <span className="row look-name"><b className="ell">{run.name}</b><span className="ell muted" title={name}>{name.slice(name.lastIndexOf("/") + 1)}</span></span>
                <span className={`ell ${look.problems.every((p) => p.kind === "lost") ? "warn" : "sec"}`} title={text}>{text}</span>
              </span>
              <span className="muted num">{formatAgo(run.end_time ?? run.start_time, now, locale)}</span>
            </Link>
          );
        })}
        {found.length > SHOWN && <p className="li muted">{t.andMore(found.length - SHOWN)}</p>}
      </div>
    </section>
  );
}
