import { formatNumber, middle } from "../model/format";
import { locale, t } from "../i18n";
import { Swatch } from "../ui/Swatch";
import type { CursorAt } from "./Plot";
import { mostOf, type Reading } from "./readings";

interface TooltipProps {
  at: CursorAt;
  title: string;
  readings: Reading[];
  hot: string | null;
  grey: number;
  /** Fewer lines, for a chart that only follows another's crosshair. */
  small?: boolean;
  pinned?: boolean;
}

const [MOST, MOST_SMALL] = [6, 2];

/** Values under the crosshair, on the side with more room. */
export function Tooltip({ at, title, readings: all, hot, grey, small = false, pinned = false }: TooltipProps) {
  const lines = mostOf(all, hot, small ? MOST_SMALL : MOST);
  const rest = all.length - lines.length + grey;
  const side = at.left > at.width / 2 ? { left: 8 } : { right: 8 };
  return (
    <div className={`tt${small ? " small" : ""}${pinned ? " pinned" : ""}`} style={side} aria-hidden="true" data-testid="tooltip">
      {!small && <div className="tt-h">{title}{pinned && ` · ${t.pinned}`}</div>}
      {lines.map(({ curve, bucket, value }) => {
        const { min, max, count } = curve.series.cols;
        const range = !small && (curve.band || (curve.id === hot && count[bucket]! > 1));
        return (
          <div key={`${curve.id}|${curve.key}`} className={`tt-l${curve.id === hot ? " on" : ""}`}>
            <Swatch slot={curve.slot} shade={curve.shade} dash={curve.dash} />
            <span>{middle(curve.name, small ? 18 : 28)}</span>
            <b>{formatNumber(value, locale)}{range && <small> {formatNumber(min[bucket]!, locale)}…{formatNumber(max[bucket]!, locale)}</small>}</b>
          </div>
        );
      })}
      {!small && rest > 0 && <div className="tt-l muted">{t.andMore(rest)}</div>}
    </div>
  );
}
