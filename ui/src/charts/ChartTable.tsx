import { formatNumber } from "../model/format";
import { locale, t } from "../i18n";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import type { Curve } from "./curve";

interface Props {
  title: string;
  curves: Curve[];
  lower: boolean;
  xName: (x: number) => string;
  onClose: () => void;
}

interface Line {
  curve: Curve;
  first: number;
  last: number;
  best: number;
  at: number;
  broken: number;
}

/** What a curve says in figures: its first, best and last value in view, and how often it was no number. */
function lineOf(curve: Curve, lower: boolean): Line {
  const { n, cols } = curve.series;
  const line: Line = { curve, first: NaN, last: NaN, best: NaN, at: NaN, broken: 0 };
  for (let i = 0; i < n; i++) {
    line.broken += cols.nan[i]! + cols.pos_inf[i]! + cols.neg_inf[i]!;
    if (!cols.count[i]) continue;
    if (Number.isNaN(line.first)) line.first = cols.first[i]!;
    line.last = cols.last[i]!;
    const value = lower ? cols.min[i]! : cols.max[i]!;
    if (Number.isNaN(line.best) || (lower ? value < line.best : value > line.best)) [line.best, line.at] = [value, cols.x[i]!];
  }
  return line;
}

/** A chart in words and figures, for reading aloud and for copying. */
export function ChartTable({ title, curves, lower, xName, onClose }: Props) {
  const lines = curves.filter((c) => c.slot !== null).map((curve) => lineOf(curve, lower));
  const figure = (value: number) => (Number.isNaN(value) ? "–" : formatNumber(value, locale));
  return (
    <Dialog title={title} onClose={onClose} wide>
      <div className="csv" tabIndex={0} role="region" aria-label={title}>
        <table className="plain">
          <thead><tr><th className="l">{t.run}</th><th>{t.firstValue}</th><th>{t.bestValue}</th><th>{t.lastValue}</th><th>{t.brokenValues}</th></tr></thead>
          <tbody>
            {lines.map((line) => (
              <tr key={`${line.curve.id}|${line.curve.key}`}>
                <td className="l">{line.curve.name}</td><td>{figure(line.first)}</td><td>{figure(line.best)} {!Number.isNaN(line.at) && <span className="muted">{xName(line.at)}</span>}</td><td>{figure(line.last)}</td><td>{line.broken || "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="dialog-end"><Button onClick={onClose}>{t.close}</Button></div>
    </Dialog>
  );
}
