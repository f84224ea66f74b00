import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { LogState, LogStore } from "../../api/logStore";
import type { OpenLine } from "../../api/logs";
import { contentHeight, isScaled, lastTop, scrollFor, topAt, visible } from "../../model/lines";
import { t } from "../../i18n";
import { useSize } from "../../ui/hooks";
import { LogRow } from "./LogRow";

export const ROW = 18;

interface Props {
  store: LogStore;
  log: LogState;
  /** Whether the view stays at the end. */
  follow: boolean;
  onFollow: (follow: boolean) => void;
  /** The line to show, and how often it was asked for. */
  goal: { line: number; turn: number } | null;
  chosen: number | null;
  onChoose: (line: number) => void;
  wanted: string;
  times: boolean;
}

/** The open lines as rows below the last line. */
function openRows(open: OpenLine[]): OpenLine[] {
  return open.flatMap((line) => line.text.split("\n").map((text) => ({ ...line, text })));
}

/** The lines that are in view, of however many there are. */
export function LogView({ store, log, follow, onFollow, goal, chosen, onChoose, wanted, times }: Props) {
  const view = useRef<HTMLDivElement>(null);
  const { height } = useSize(view);
  const [top, setTop] = useState(0);
  const own = useRef(-1);
  const unfinished = useMemo(() => openRows(log.open), [log.open]);
  const lines = Math.max(0, log.total - log.keptFrom + 1);
  const box = { count: lines + unfinished.length, row: ROW, view: height };
  const at = follow ? lastTop(box) : Math.min(top, lastTop(box));
  const { begin, end, shift } = visible(box, at);
  const scroll = scrollFor(box, at);

  useEffect(() => {
    if (end > begin && lines) store.need(log.keptFrom + begin, Math.min(log.total, log.keptFrom + end - 1));
  }, [store, begin, end, lines, log.keptFrom, log.total]);

  // Where following ends is where it was.
  useEffect(() => {
    if (follow) setTop(at);
  }, [follow, at]);

  // The scroll bar goes where the lines are, unless the user is moving it.
  useLayoutEffect(() => {
    const element = view.current;
    if (element && height && Math.abs(element.scrollTop - scroll) > 1) {
      element.scrollTop = scroll;
      own.current = element.scrollTop; // as the browser took it
    }
  });

  useEffect(() => {
    if (goal) setTop(Math.max(0, goal.line - log.keptFrom - Math.floor(height / ROW / 3)));
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the log may grow without a new goal
  }, [goal, height > 0, log.fresh]);

  const move = (next: number) => {
    const clipped = Math.max(0, Math.min(lastTop(box), next));
    onFollow(clipped >= lastTop(box) - 0.5);
    setTop(clipped);
  };
  const onScroll = () => {
    const place = view.current!.scrollTop;
    if (Math.abs(place - own.current) <= 1) return;
    own.current = -1;
    move(topAt(box, place));
  };
  // A wheel's notch moves by lines, also where a pixel of the bar stands for many.
  useEffect(() => {
    const element = view.current!;
    const onWheel = (event: WheelEvent) => {
      if (!isScaled(box) || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
      event.preventDefault();
      move(at + event.deltaY / ROW);
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  });
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(height / ROW) - 2);
    const steps: Record<string, number> = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - page, PageDown: at + page, Home: 0, End: lastTop(box) };
    const next = steps[event.key];
    if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move(next);
  };

  const digits = String(log.total).length;
  return (
    <div ref={view} className="logview" tabIndex={0} role="region" aria-label={t.logText} onScroll={onScroll} onKeyDown={onKeyDown} data-testid="log-view">
      <div style={{ height: contentHeight(box) }} />
      <div className="logrows" style={{ transform: `translateY(${scroll + shift}px)` }}>
        {Array.from({ length: end - begin }, (_, i) => begin + i).map((index) => {
          const open = unfinished[index - lines];
          const number = index < lines ? log.keptFrom + index : null;
          const line = number === null ? { text: open!.text, time: open!.time, origin: open! } : store.line(number);
          return <LogRow key={number ?? `open${index - lines}`} number={number} line={line} digits={digits} chosen={number !== null && number === chosen} wanted={wanted} times={times} onChoose={onChoose} />;
        })}
      </div>
    </div>
  );
}
