import { useRef, type KeyboardEvent, type PointerEvent } from "react";
import { t } from "../i18n";

interface SplitterProps {
  /** Share of the left pane in per cent. */
  value: number;
  fallback: number;
  least?: number;
  onChange: (value: number) => void;
}

/** The bar between two panes: drag, arrow keys by 2 %, double click resets. Neither pane falls below `least` pixels. */
export function Splitter({ value, fallback, least = 380, onChange }: SplitterProps) {
  const bar = useRef<HTMLDivElement>(null);
  const clamp = (share: number) => {
    const width = bar.current?.parentElement?.clientWidth ?? 1;
    const edge = Math.min(50, (least / width) * 100);
    return Math.round(Math.min(100 - edge, Math.max(edge, share)) * 10) / 10;
  };
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = event.currentTarget.parentElement!.getBoundingClientRect();
    onChange(clamp(((event.clientX - box.left) / box.width) * 100));
  };
  const key = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    onChange(clamp(value + by));
  };
  return (
    <div ref={bar} className="grip" role="separator" aria-orientation="vertical" aria-label={t.resize} aria-valuenow={Math.round(value)} aria-valuemin={0} aria-valuemax={100} tabIndex={0}
      onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)} onPointerMove={drag} onDoubleClick={() => onChange(fallback)} onKeyDown={key} />
  );
}
