import { useMemo, useState } from "react";
import { formatCount } from "../../../model/format";
import { judged, type Confusion } from "../../../model/media";
import { locale, t } from "../../../i18n";

/** Larger matrices show their first classes; what was mistaken is listed of all. */
const MOST = { small: 12, tall: 60 };
const MISTAKES = { small: 3, tall: 12 };

const percent = (share: number) => new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(share);

/** Which classes were taken for which: rows true, columns predicted, coloured by the share of the row. */
export function ConfusionView({ found, tall }: { found: Confusion; tall: boolean }) {
  const [shares, setShares] = useState(false);
  const { labels, matrix } = found;
  const most = Math.min(labels.length, tall ? MOST.tall : MOST.small);
  const { right, total, mistakes } = useMemo(() => judged(found, tall ? MISTAKES.tall : MISTAKES.small), [found, tall]);
  const shown = labels.slice(0, most);
  const rest = labels.length - most;
  return (
    <div className="mview">
      <div className="confbox" tabIndex={0} role="region" aria-label={t.matrixSummary(labels.length)}>
        <table className="conf">
          <thead><tr><td className="muted">{t.trueClass} ↓ {t.predictedClass} →</td>{shown.map((label) => <th key={label} scope="col" title={label}><span>{label}</span></th>)}</tr></thead>
          <tbody>
            {shown.map((label, i) => {
              const row = matrix[i]!;
              const whole = row.reduce((a, b) => a + b, 0);
              return (
                <tr key={label}>
                  <th scope="row" className="ell" title={label}>{label}</th>
                  {row.slice(0, most).map((count, j) => {
                    const share = whole > 0 ? count / whole : 0;
                    return <td key={j} className={`num${count === 0 ? " muted" : ""}`} style={{ background: `color-mix(in oklab, var(--heat-1) ${Math.round(share * 100)}%, var(--heat-0))` }} title={`${t.takenFor(label, labels[j]!)}: ${formatCount(count, locale)}, ${percent(share)}`}>{shares ? percent(share) : formatCount(count, locale)}</td>;
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {rest > 0 && <p className="mcap">{t.moreClasses(rest)}</p>}
      <p className="mcap num row"><span>{total > 0 && t.accuracyOf(percent(right / total), formatCount(right, locale), formatCount(total, locale))}</span>
        <label className="row right"><input type="checkbox" className="cb" checked={shares} onChange={(e) => setShares(e.target.checked)} />{t.asShares}</label></p>
      <p className="mcap num">{mistakes.length ? `${t.mostMistaken}: ${mistakes.map((m) => `${t.takenFor(m.actual, m.predicted)} (${formatCount(m.count, locale)}, ${percent(m.share)})`).join("; ")}` : t.nothingMistaken}</p>
    </div>
  );
}
