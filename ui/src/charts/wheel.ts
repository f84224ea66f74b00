import type { Span } from "./scale";

interface WheelZoom {
  log: boolean;
  span: () => Span;
  /** Where a pointer is in the plot, 0 to 1. */
  share: (clientX: number) => number;
  /** Shows a span at once, from what is loaded. */
  show: (span: Span) => void;
  /** Keeps it when the wheel rests. */
  settle: (span: Span) => void;
}

const SETTLE_MS = 140;
const SPEED = 0.0025;

/** A span made smaller or larger around a place in it. */
export function zoomed([low, high]: Span, share: number, factor: number, log: boolean): Span {
  if (log && low > 0) return zoomed([Math.log(low), Math.log(high)], share, factor, false).map(Math.exp) as Span;
  const at = low + share * (high - low);
  return [at - (at - low) * factor, at + (high - at) * factor];
}

/** The wheel with Ctrl zooms around the pointer; without Ctrl it scrolls the page as ever. Returns how to end it. */
export function wheelZoom(target: HTMLElement, { log, span, share, show, settle }: WheelZoom): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const turn = (event: WheelEvent) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const next = zoomed(span(), share(event.clientX), Math.exp(event.deltaY * SPEED), log);
    show(next);
    clearTimeout(timer);
    timer = setTimeout(() => settle(next), SETTLE_MS);
  };
  target.addEventListener("wheel", turn, { passive: false });
  return () => {
    clearTimeout(timer);
    target.removeEventListener("wheel", turn);
  };
}
