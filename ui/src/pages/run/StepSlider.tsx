import { useRef, type CSSProperties } from "react";
import { formatCount } from "../../model/format";
import { locale, t } from "../../i18n";
import { Button } from "../../ui/Button";
import { useKeys } from "../../ui/keys";
import type { StepFile } from "./preview";

interface Props {
  series: StepFile[];
  path: string;
  onChoose: (path: string) => void;
}

/** A slider over the steps of a series of pictures; the arrow keys go along it. */
export function StepSlider({ series, path, onChoose }: Props) {
  const slider = useRef<HTMLInputElement>(null);
  const at = Math.max(0, series.findIndex((s) => s.path === path));
  const go = (to: number) => to >= 0 && to < series.length && onChoose(series[to]!.path);
  useKeys({ ArrowLeft: () => go(at - 1), ArrowRight: () => go(at + 1) });
  return (
    <div className="stepper" data-testid="step-slider">
      <Button look="ghost" className="tiny" icon="left" aria-label={t.previousStep} disabled={at === 0} onClick={() => go(at - 1)} />
      <label className="slider grow"><span className="vh">{t.stepSlider}</span>
        <input ref={slider} type="range" min={0} max={series.length - 1} step={1} value={at} aria-valuetext={t.step(formatCount(series[at]!.step, locale))} onChange={(e) => go(Number(e.target.value))} style={{ "--at": `${(at / (series.length - 1)) * 100}%` } as CSSProperties} />
      </label>
      <Button look="ghost" className="tiny" icon="right" aria-label={t.nextStep} disabled={at === series.length - 1} onClick={() => go(at + 1)} />
      <span className="num">{t.stepOf(formatCount(series[at]!.step, locale), formatCount(series[series.length - 1]!.step, locale))}</span>
    </div>
  );
}
