import { useQuery } from "@tanstack/react-query";
import { getVerdict, type Finding, type Verdict, type Word } from "../api/stability";
import { formatCount, formatNumber } from "../model/format";
import { worst } from "../model/verdict";
import { locale, t } from "../i18n";
import { useRefresh } from "./queries";
import { Glyph, type GlyphName } from "../ui/Glyph";

/** The server's verdict on a run, asked again when the run changes; null until it is here. */
export function useVerdict(runId: string | null): Verdict | null {
  const id = runId ?? "";
  useRefresh(["stability"], 4000);
  const found = useQuery({ queryKey: ["stability", id], queryFn: ({ signal }) => getVerdict(id, signal), enabled: id !== "" });
  return found.data ?? null;
}

const LOOKS: Record<Word, { tone: string; glyph: GlyphName }> = {
  stable: { tone: "ok", glyph: "FINISHED" }, diverged: { tone: "bad", glyph: "FAILED" }, unstable: { tone: "warn", glyph: "WARN" },
  overfitting: { tone: "warn", glyph: "WARN" }, stalled: { tone: "warn", glyph: "WARN" }, short: { tone: "", glyph: "SCHEDULED" }, unknown: { tone: "", glyph: "SCHEDULED" },
};

export function StabilityPill({ word }: { word: Word }) {
  const { tone, glyph } = LOOKS[word];
  return <span className={`pill ${tone}`} data-testid="stability" data-verdict={word}><Glyph name={glyph} />{t[word]}</span>;
}

const steps = (n: number) => formatCount(Math.round(n), locale);
const number = (n: number | null) => formatNumber(n, locale);
const MINUTE = 60_000;

function spikes({ end, count }: Finding): string {
  return (end === null ? t.notBack : t.backAt(steps(end))) + (count > 1 ? t.moreTimes(steps(count)) : "");
}

/** A finding as one sentence with figures. */
export function findingText(found: Finding): string {
  const { kind, metric, start, end, value, usual } = found;
  const figures = [metric, steps(start), number(value), number(usual)] as const;
  switch (kind) {
    case "not_finite": return t.foundNotFinite(metric, steps(start)) + (found.count > 1 ? t.moreTimes(steps(found.count)) : "");
    case "diverged": return t.foundDiverged(...figures);
    case "spike": return t.foundSpike(...figures) + spikes(found);
    case "gradient": return t.foundGradient(...figures) + (found.count > 1 ? t.moreTimes(steps(found.count)) : "");
    case "learning_rate": return t.foundRate(...figures);
    case "gap": return t.foundGap(...figures);
    case "plateau": return t.foundPlateau(metric, steps(start));
    case "throughput": return t.foundThroughput(...figures);
    case "lost": return t.recordsLost(found.count) + (metric && end !== null ? t.hole(metric, steps(start), steps(end)) : "");
    case "idle_gpu": return t.foundIdle(metric, end === null ? "15+" : steps((end - start) / MINUTE));
  }
}

/** The verdict as one sentence. */
export function verdictText({ word, findings, points }: Verdict): string {
  const found = worst(findings);
  if (found) return findingText(found);
  return word === "short" ? t.shortText(steps(points)) : word === "unknown" ? t.noLoss : t.stableText;
}
