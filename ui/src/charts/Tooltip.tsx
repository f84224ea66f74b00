import { formatNumber, middle } from "../model/format";
import { locale, t } from "../i18n";
import { Swatch } from "../ui/Swatch";
import { lineValue, type Curve } from "./curve";
import type { CursorAt } from "./Plot";
import { nearestBucket, type Span } from "./scale";

export interface Reading {
  curve: Curve;
  bucket: number;
  value: number;
}

/** The drawn curves' values nearest to `x`, best first. */
export function readings(curves: Curve[], x: number, span: Span, lower: boolean): Reading[] {
  const reach = (span[1] - span[0]) * 0.03;
  const found = curves.flatMap((curve) => {
    if (curve.slot === null) return [];
    const bucket = nearestBucket(curve.series, x, reach);
    return bucket < 0 ? [] : [{ curve, bucket, value: lineValue(curve, bucket) }];
  });
  const rank = (v: number) => (Number.isFinite(v) ? (lower ? v : -v) : Infinity);
  return found.sort((a, b) => rank(a.value) - rank(b.value));
}

const MOST = 6;

interface TooltipProps {
  at: CursorAt;
  title: string;
  readings: Reading[];
  hot: string | null;
  grey: number;
}

/** Values under the crosshair, on the side with more room. */
export function Tooltip({ at, title, readings: all, hot, grey }: TooltipProps) {
  const first = all.slice(0, MOST);
  const hotOne = all.find((r) => r.curve.id === hot);
  const lines = hotOne && !first.includes(hotOne) ? [...first.slice(0, MOST - 1), hotOne] : first;
  const rest = all.length - lines.length + grey;
  const side = at.left > at.width / 2 ? { left: 8 } : { right: 8 };
  return (
    <div className="tt" style={side} aria-hidden="true">
      <div className="tt-h">{title}</div>
      {lines.map(({ curve, bucket, value }) => {
        const { min, max, count } = curve.series.cols;
        const range = curve.id === hot && count[bucket]! > 1;
        return (
          <div key={curve.id} className={`tt-l${curve.id === hot ? " on" : ""}`}>
            <Swatch slot={curve.slot} />
            <span>{middle(curve.name, 24)}</span>
            <b>{formatNumber(value, locale)}{range && <small> {formatNumber(min[bucket]!, locale)}…{formatNumber(max[bucket]!, locale)}</small>}</b>
          </div>
        );
      })}
      {rest > 0 && <div className="tt-l muted">{t.andMore(rest)}</div>}
    </div>
  );
}
