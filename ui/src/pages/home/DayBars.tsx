import { dayAt, DAYS } from "../../model/days";
import { formatCount } from "../../model/format";
import { locale, t } from "../../i18n";

interface Props {
  since: number;
  runs: readonly number[];
  failed?: readonly number[];
  width: number;
  height: number;
}

const dayName = (time: number) => new Date(time).toLocaleDateString(locale === "en" ? "en-GB" : locale, { day: "numeric", month: "short" });

/** A bar a day, today's marked; what failed stands at its foot. */
export function DayBars({ since, runs, failed, width, height }: Props) {
  const most = Math.max(1, ...runs);
  const step = width / DAYS;
  const total = runs.reduce((a, b) => a + b, 0);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} className="daybars" role="img" aria-label={t.activityOf(total)}>
      {Array.from({ length: DAYS }, (_, i) => {
        const count = runs[i] ?? 0;
        const bad = failed?.[i] ?? 0;
        const tall = count ? Math.max(2, (count / most) * (height - 2)) : 1;
        const low = count ? (bad / count) * tall : 0;
        return (
          <g key={i}>
            <rect className={count ? (i === DAYS - 1 ? "today" : "day") : "none"} x={i * step + step * 0.1} width={step * 0.8} y={height - tall} height={tall} rx={Math.min(2, tall / 2)} />
            {low > 0 && <rect className="failed" x={i * step + step * 0.1} width={step * 0.8} y={height - Math.max(2, low)} height={Math.max(2, low)} />}
            <title>{`${dayName(dayAt(since, i))}: ${t.runs(count)}${bad ? `, ${t.nFailed(formatCount(bad, locale))}` : ""}`}</title>
          </g>
        );
      })}
    </svg>
  );
}

/** The days of all experiments as a card. */
export function FortnightCard({ since, runs, failed }: { since: number; runs: number[]; failed: number[] }) {
  const total = runs.reduce((a, b) => a + b, 0);
  const bad = failed.reduce((a, b) => a + b, 0);
  return (
    <section data-testid="fortnight">
      <div className="hd"><h2>{t.thisFortnight}</h2><span className="muted num">{t.runs(total)}{bad > 0 && `, ${t.nFailed(formatCount(bad, locale))}`}</span></div>
      <div className="card fortnight">
        <DayBars since={since} runs={runs} failed={failed} width={308} height={56} />
        <p className="row muted num"><span>{dayName(since)}</span><span className="grow" /><span>{dayName(dayAt(since, Math.floor(DAYS / 2)))}</span><span className="grow" /><span>{t.today}</span></p>
      </div>
    </section>
  );
}
