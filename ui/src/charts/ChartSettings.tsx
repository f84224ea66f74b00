import { useState, type FormEvent } from "react";
import { t } from "../i18n";
import { Button, Segment } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import type { ChartOptions } from "../url/board";
import type { Span } from "./scale";
import { SmoothingSlider } from "./SmoothingSlider";

interface Props {
  title: string;
  options: ChartOptions;
  /** The y-range that is shown now, to start from. */
  shown: Span;
  boardSmooth: number;
  timeAxis: boolean;
  onOption: (part: ChartOptions) => void;
  onClose: () => void;
}

type RangeKind = "robust" | "full" | "own";

/** A number as people type it, with a point or a comma; null where it is none. */
export function typedNumber(text: string): number | null {
  const value = Number(text.trim().replace(",", ".").replace("−", "-"));
  return text.trim() !== "" && Number.isFinite(value) ? value : null;
}

const short = (value: number) => String(Number(value.toPrecision(4)));

/** The settings of one chart, applied at once. */
export function ChartSettings({ title, options, shown, boardSmooth, timeAxis, onOption, onClose }: Props) {
  const kind: RangeKind = options.range ? "own" : options.full ? "full" : "robust";
  const [ends, setEnds] = useState<[string, string]>(() => (options.range ?? shown).map(short) as [string, string]);
  const [problem, setProblem] = useState("");
  const apply = ([low, high]: [string, string]) => {
    const [a, b] = [typedNumber(low), typedNumber(high)];
    if (a === null || b === null) return setProblem(t.rangeNumbers);
    if (a >= b) return setProblem(t.rangeOrder);
    if (options.logY && a <= 0) return setProblem(t.rangeLog);
    setProblem("");
    onOption({ range: [a, b] });
  };
  const choose = (next: RangeKind) => {
    if (next === "own") return apply(ends);
    setProblem("");
    onOption({ range: undefined, full: next === "full" });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (kind === "own") apply(ends);
  };
  const onOff = (value: boolean, label: string, set: (on: boolean) => void) => (
    <Segment label={label} value={value ? "on" : "off"} onChange={(next) => set(next === "on")} options={[{ value: "off", label: t.linear }, { value: "on", label: "log" }]} />
  );
  return (
    <Dialog title={t.settingsOf(title)} onClose={onClose} wide>
      <form className="settings" onSubmit={submit}>
        <div><span>{t.yAxis}</span>{onOff(options.logY ?? false, t.yAxis, (logY) => onOption({ logY }))}</div>
        {!timeAxis && <div><span>{t.xAxis}</span>{onOff(options.logX ?? false, t.xAxis, (logX) => onOption({ logX }))}</div>}
        <div><span>{t.range}</span>
          <Segment<RangeKind> label={t.range} value={kind} onChange={choose} options={[{ value: "robust", label: t.rangeRobust }, { value: "full", label: t.rangeFull }, { value: "own", label: t.rangeOwn }]} /></div>
        {kind === "own" && (
          <div><span>{t.rangeEnds}</span>
            <span className="row">
              {([0, 1] as const).map((i) => (
                <input key={i} className="input narrow num" inputMode="decimal" aria-label={i === 0 ? t.rangeLow : t.rangeHigh} value={ends[i]}
                  onChange={(e) => setEnds(i === 0 ? [e.target.value, ends[1]] : [ends[0], e.target.value])} onBlur={() => apply(ends)} />
              ))}
            </span></div>
        )}
        {problem && <p className="bad" role="alert">{problem}</p>}
        <div><span>{t.smoothing}</span>
          <Segment label={t.smoothing} value={options.smooth === undefined ? "board" : "own"} onChange={(next) => onOption({ smooth: next === "own" ? boardSmooth : undefined })} options={[{ value: "board", label: t.asBoard }, { value: "own", label: t.rangeOwn }]} /></div>
        {options.smooth !== undefined && <div><span /><SmoothingSlider value={options.smooth} onChange={(smooth) => onOption({ smooth })} /></div>}
        <div className="dialog-end"><Button type="submit" onClick={onClose}>{t.close}</Button></div>
      </form>
    </Dialog>
  );
}
