import { useMemo, useState } from "react";
import type { Series } from "../api/buckets";
import { formatCount, formatDelta, formatNumber } from "../model/format";
import { pickEvalLoss, pickTrainLoss, type KeyCount } from "../model/metrics";
import { judge, type Stability } from "../model/stability";
import { unstableRuns, type Unstable } from "../model/unstable";
import { locale, t } from "../i18n";
import { useSeries } from "../charts/useSeries";
import { Glyph, type GlyphName } from "../ui/Glyph";

export interface Judged {
  stability: Stability;
  loss: string | null;
  evaluation: string | null;
  norm: { key: string; max: number } | null;
}

const VIEW = { x: "step", start: null, end: null, buckets: 600, smoothing: 0 } as const;
const MANY_VIEW = { ...VIEW, buckets: 200 } as const;

function maxOf(series: Series | undefined): number {
  let max = -Infinity;
  for (let i = 0; series && i < series.n; i++) if (series.cols.max[i]! > max) max = series.cols.max[i]!;
  return max;
}

/** The verdict on a run from its losses' buckets; null until they are here. */
export function useStability(runId: string | null, metrics: readonly KeyCount[]): Judged | null {
  const loss = useMemo(() => pickTrainLoss(metrics), [metrics]);
  const evaluation = useMemo(() => pickEvalLoss(metrics, loss), [metrics, loss]);
  const normKey = useMemo(() => metrics.find((m) => /grad(ient)?_?norm/i.test(m.key))?.key ?? null, [metrics]);
  const ids = runId === null ? [] : [runId];
  const a = useSeries(ids, loss ?? "", VIEW, loss !== null);
  const b = useSeries(ids, evaluation ?? "", VIEW, evaluation !== null);
  const c = useSeries(ids, normKey ?? "", VIEW, normKey !== null);
  const [sa, sb, sc] = [a, b, c].map((r) => (runId === null ? undefined : r.found.get(runId)));
  const waiting = (loss !== null && a.pending && !sa) || (evaluation !== null && b.pending && !sb);
  return useMemo(() => {
    if (runId === null || waiting) return null;
    const max = maxOf(sc);
    return { stability: judge(sa ?? null, sb ?? null), loss, evaluation, norm: normKey && Number.isFinite(max) ? { key: normKey, max } : null };
  }, [runId, waiting, sa, sb, sc, loss, evaluation, normKey]);
}

/** Which of some runs diverged or spiked; the last answer stays until all of a new one is here, so that it does not flicker. */
export function useUnstable(runIds: string[], metrics: readonly KeyCount[]): Unstable | null {
  const loss = useMemo(() => pickTrainLoss(metrics), [metrics]);
  const evaluation = useMemo(() => pickEvalLoss(metrics, loss), [metrics, loss]);
  const a = useSeries(runIds, loss ?? "", MANY_VIEW, loss !== null);
  const b = useSeries(runIds, evaluation ?? "", MANY_VIEW, evaluation !== null);
  const waiting = loss === null || a.pending || (evaluation !== null && b.pending);
  const fresh = useMemo(() => (waiting ? null : unstableRuns(runIds.map((id) => ({ id, loss: a.found.get(id) ?? null, evaluation: b.found.get(id) ?? null })))), [waiting, runIds, a.found, b.found]);
  const text = fresh && JSON.stringify(fresh);
  const [kept, setKept] = useState<string | null>(null);
  if (text !== null && text !== kept) setKept(text);
  const shown = text ?? kept;
  return useMemo(() => (shown === null ? null : (JSON.parse(shown) as Unstable)), [shown]);
}

const LOOKS: Record<Stability["verdict"], { tone: string; glyph: GlyphName }> = {
  stable: { tone: "ok", glyph: "FINISHED" }, diverged: { tone: "bad", glyph: "FAILED" }, spiked: { tone: "warn", glyph: "WARN" },
  overfitting: { tone: "warn", glyph: "WARN" }, short: { tone: "", glyph: "SCHEDULED" }, unknown: { tone: "", glyph: "SCHEDULED" },
};

export function StabilityPill({ verdict }: { verdict: Stability["verdict"] }) {
  const { tone, glyph } = LOOKS[verdict];
  return <span className={`pill ${tone}`} data-testid="stability" data-verdict={verdict}><Glyph name={glyph} />{t[verdict]}</span>;
}

const steps = (n: number) => formatCount(Math.round(n), locale);

/** The verdict as one sentence with figures. */
export function verdictText({ stability: s, loss, norm }: Judged): string {
  switch (s.verdict) {
    case "diverged":
      return s.broken ? t.divergedNan(s.broken.kind, steps(s.broken.step), loss ?? "") : t.divergedRise(formatNumber(s.endOverBest, locale));
    case "spiked": {
      const { step, recovery } = s.spikes[0]!;
      return t.spikedText(s.spikes.length, steps(step)) + (recovery === null ? t.notRecovered : t.recovered(steps(recovery)));
    }
    case "overfitting":
      return t.overfitText(steps(s.overfit!.bestStep), formatDelta(s.overfit!.rise, locale).replace("+", ""));
    case "short":
      return t.shortText(steps(s.points));
    case "unknown":
      return t.noLoss;
    case "stable":
      return norm ? t.stableNorm(formatNumber(norm.max, locale)) : t.stableText;
  }
}
