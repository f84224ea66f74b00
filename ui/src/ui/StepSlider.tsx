import type { CSSProperties } from "react";
import { formatCount } from "../model/format";
import { locale, t } from "../i18n";
import { Button } from "./Button";
import { useKeys } from "./keys";

interface Props {
  /** Ascending. */
  steps: readonly number[];
  /** The place in `steps`. */
  at: number;
  label: string;
  onChoose: (at: number) => void;
}

/** A slider over the steps of a series; the arrow keys go along it. */
export function StepSlider({ steps, at, label, onChoose }: Props) {
  const last = steps.length - 1;
  const go = (to: number) => to >= 0 && to <= last && onChoose(to);
  useKeys({ ArrowLeft: () => go(at - 1), ArrowRight: () => go(at + 1) });
  return (
    <div className="stepper" data-testid="step-slider">
      <Button look="ghost" className="tiny" icon="left" aria-label={t.previousStep} disabled={at === 0} onClick={() => go(at - 1)} />
      <label className="slider grow"><span className="vh">{label}</span>
        <input type="range" min={0} max={last} step={1} value={at} aria-valuetext={t.step(formatCount(steps[at]!, locale))} onChange={(e) => go(Number(e.target.value))} style={{ "--at": `${(at / Math.max(1, last)) * 100}%` } as CSSProperties} />
      </label>
      <Button look="ghost" className="tiny" icon="right" aria-label={t.nextStep} disabled={at === last} onClick={() => go(at + 1)} />
      <span className="num">{t.stepOf(formatCount(steps[at]!, locale), formatCount(steps[last]!, locale))}</span>
    </div>
  );
}
