import { useMemo, useRef, useState } from "react";
import { tickLabels } from "../../../charts/scale";
import { formatCount, formatNumber } from "../../../model/format";
import type { Curve, CurveSet } from "../../../model/media";
import { locale, t } from "../../../i18n";
import { useSize } from "../../../ui/hooks";
import { slotColour, slotDash, Swatch } from "../../../ui/Swatch";

const HEIGHT = { small: 190, tall: 420 };
const MOST = { small: 4, tall: 24 };
const EDGE = { left: 48, right: 8, top: 8, bottom: 34 };
const MARKS = [0, 0.25, 0.5, 0.75, 1];

/** Precision holds from one recall back to the one before it: steps, as average precision sums them. */
function pathOf(type: CurveSet["type"], { x, y }: Curve, px: (v: number) => number, py: (v: number) => number): string {
  if (type === "roc-curve") return x.map((v, i) => `${i ? "L" : "M"}${px(v).toFixed(1)} ${py(y[i]!).toFixed(1)}`).join("");
  return x.map((v, i) => (i ? `V${py(y[i]!).toFixed(1)}H${px(v).toFixed(1)}` : `M${px(0).toFixed(1)} ${py(y[0]!).toFixed(1)}H${px(v).toFixed(1)}`)).join("");
}

/** Precision over recall or true over false positives: a line a class, the largest area first. */
export function CurveView({ found: { type, curves }, tall }: { found: CurveSet; tall: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const [hot, setHot] = useState<string | null>(null);
  const ordered = useMemo(() => [...curves].sort((a, b) => (b.area ?? -1) - (a.area ?? -1)), [curves]);
  const shown = ordered.slice(0, tall ? MOST.tall : MOST.small);
  const height = tall ? HEIGHT.tall : HEIGHT.small;
  const px = (v: number) => EDGE.left + v * (width - EDGE.left - EDGE.right);
  const py = (v: number) => height - EDGE.bottom - v * (height - EDGE.top - EDGE.bottom);
  const names = tickLabels(MARKS, locale);
  const roc = type === "roc-curve";
  const [across, up, area] = roc ? [t.falsePositives, t.truePositives, t.areaUnder] : [t.recall, t.precision, t.averagePrecision];
  const areaOf = (curve: Curve) => `${area} ${formatNumber(curve.area, locale)}`;
  return (
    <div ref={box} className="mview">
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={shown.map((c) => `${c.label}: ${areaOf(c)}`).join(", ")} className="curves">
          {MARKS.map((v, i) => <g key={v}><path className="grid" d={`M${px(0)} ${py(v)}H${px(1)}`} /><text x={EDGE.left - 5} y={py(v) + 3.5} textAnchor="end">{names[i]}</text><text x={px(v)} y={height - EDGE.bottom + 14} textAnchor={i === MARKS.length - 1 ? "end" : "middle"}>{names[i]}</text></g>)}
          <text x={px(0.5)} y={height - 5} textAnchor="middle">{across}</text><text transform={`translate(11 ${py(0.5)}) rotate(-90)`} textAnchor="middle">{up}</text>
          {roc && <path className="chance" d={`M${px(0)} ${py(0)}L${px(1)} ${py(1)}`} />}
          {shown.map((curve, slot) => (
            <path key={curve.label} className="curve" d={pathOf(type, curve, px, py)} stroke={slotColour(slot)} strokeDasharray={slotDash(slot)} opacity={hot === null || hot === curve.label ? 1 : 0.2} onPointerEnter={() => setHot(curve.label)} onPointerLeave={() => setHot(null)}><title>{`${curve.label}: ${areaOf(curve)}`}</title></path>
          ))}
        </svg>
      )}
      <ul className="curvelist">
        {shown.map((curve, slot) => (
          <li key={curve.label} onPointerEnter={() => setHot(curve.label)} onPointerLeave={() => setHot(null)}>
            <Swatch slot={slot} /><span className="ell grow" title={curve.label}>{curve.label}</span><b className="num">{areaOf(curve)}</b>
            <span className="muted num">{t.positivesOf(formatCount(curve.positives, locale), formatCount(curve.total, locale))}</span>
          </li>
        ))}
        {ordered.length > shown.length && <li className="muted">{t.andMore(ordered.length - shown.length)}</li>}
      </ul>
    </div>
  );
}
