import type { Kind } from "../../api/stability";
import type { RunDetail } from "../../api/runs";
import { formatCount } from "../../model/format";
import { locale, t } from "../../i18n";
import { findingText, StabilityPill, useVerdict, verdictText } from "../../parts/Stability";
import { Glyph } from "../../ui/Glyph";

/** The checks that are shown though they found nothing, and what they are called. */
const ALWAYS: readonly Kind[] = ["spike", "not_finite"];

function nameOf(kind: Kind): string {
  const names: Record<Kind, string> = {
    spike: t.lossSpikes, not_finite: t.nanOrInf, diverged: t.course, plateau: t.course, gradient: t.gradNorm,
    learning_rate: t.learningRate, gap: t.evalGap, throughput: t.throughput, idle_gpu: t.gpu, lost: t.lostRecords,
  };
  return names[kind];
}

/** The verdict, and each finding with its measure. */
export function StabilityCard({ run }: { run: RunDetail }) {
  const verdict = useVerdict(run.info.run_id);
  if (!verdict) return <section className="card"><header><h2>{t.stability}</h2></header></section>;
  const { word, findings, points } = verdict;
  const quiet = points > 0 ? ALWAYS.filter((kind) => findings.every((one) => one.kind !== kind)) : [];
  return (
    <section className="card stability">
      <header><h2>{t.stability}</h2><span className="right"><StabilityPill word={word} /></span></header>
      {findings.length === 0 && <p className="note">{verdictText(verdict)}</p>}
      <dl>
        {findings.map((one) => (
          <div key={`${one.kind} ${one.metric}`} className="chk found"><Glyph name="WARN" /><dt>{nameOf(one.kind)}</dt><dd>{findingText(one)}</dd></div>
        ))}
        {quiet.map((kind) => (
          <div key={kind} className="chk"><Glyph name="FINISHED" /><dt>{nameOf(kind)}</dt><dd>{t.none} {t.ofPoints(formatCount(points, locale))}</dd></div>
        ))}
      </dl>
    </section>
  );
}
