import { useEffect, useState, type CSSProperties } from "react";
import { locale, t } from "../i18n";

const SETTLE_MS = 150;

/** A smoothing slider that asks the server only when the hand rests. */
export function SmoothingSlider({ value, onChange, id }: { value: number; onChange: (value: number) => void; id?: string }) {
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  useEffect(() => {
    if (draft === value) return;
    const timer = setTimeout(() => onChange(draft), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [draft, value, onChange]);
  return (
    <label className="slider">
      <span>{t.smoothing}</span>
      <input id={id} type="range" min={0} max={0.99} step={0.01} value={draft} onChange={(e) => setDraft(Number(e.target.value))} style={{ "--at": `${(draft / 0.99) * 100}%` } as CSSProperties} />
      <span className="num">{draft.toLocaleString(locale, { minimumFractionDigits: 2 })}</span>
    </label>
  );
}
