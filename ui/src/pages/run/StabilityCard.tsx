import { useMemo, type ReactNode } from "react";
import type { RunDetail } from "../../api/runs";
import { formatCount, formatNumber } from "../../model/format";
import { locale, t } from "../../i18n";
import { StabilityPill, useStability, verdictText } from "../../parts/Stability";
import { Glyph } from "../../ui/Glyph";
import type { RunMetrics } from "./useRunMetrics";

function Check({ good, name, children }: { good: boolean; name: string; children: ReactNode }) {
  return <div className="chk"><Glyph name={good ? "FINISHED" : "WARN"} /><dt>{name}</dt><dd>{children}</dd></div>;
}

/** The verdict, and each check with its measure. */
export function StabilityCard({ run, metrics }: { run: RunDetail; metrics: RunMetrics }) {
  const counts = useMemo(() => metrics.keys.map((key) => ({ key, runs: 1 })), [metrics.keys]);
  const judged = useStability(run.info.run_id, counts);
  if (!judged || metrics.loading) return <section className="card"><header><h2>{t.stability}</h2></header></section>;
  const { stability: s, norm } = judged;
  const steps = (n: number) => formatCount(Math.round(n), locale);
  return (
    <section className="card stability">
      <header><h2>{t.stability}</h2><span className="right"><StabilityPill verdict={s.verdict} /></span></header>
      <p className="note">{verdictText(judged)}</p>
      {s.points > 0 && (
        <dl>
          <Check good={s.spikes.length === 0} name={t.lossSpikes}>{s.spikes.length ? s.spikes.slice(0, 2).map((k) => t.step(steps(k.step))).join(", ") : t.none}</Check>
          <Check good={s.broken === null} name={t.nanOrInf}>{s.broken ? t.nanAt(s.broken.kind, steps(s.broken.step)) : `${t.none} ${t.ofPoints(steps(s.points))}`}</Check>
          {norm && <Check good name={t.gradNorm}>{t.maxV(formatNumber(norm.max, locale))}</Check>}
          {s.endOverBest !== null && <Check good={s.endOverBest <= 1.5} name={t.endOfLoss}>{t.timesBest(formatNumber(s.endOverBest, locale))}</Check>}
          {s.overfit && <Check good={false} name={t.evalGap}>{t.step(steps(s.overfit.bestStep))}</Check>}
        </dl>
      )}
    </section>
  );
}
