import { useEffect, useMemo, useState, type RefObject } from "react";
import { headerGroups, offsetsOf, windowOf, type Column } from "../../model/columns";
import { useSize } from "../../ui/hooks";
import type { Drawn } from "./RunRow";

const LEAD = 62 + 192;

/** The columns in view: the table draws no others. The width is that of all of them. */
export function useColumnWindow(scroller: RefObject<HTMLDivElement | null>, columns: Column[], mounted: boolean): { drawn: Drawn; width: number; reveal: (id: string) => void } {
  const { pinned, rest, offsets, pinnedWidth, firsts } = useMemo(() => {
    const front = columns.filter((c) => c.pinned);
    const others = columns.filter((c) => !c.pinned);
    const groups = [...headerGroups(front), ...headerGroups(others)];
    return { pinned: front, rest: others, offsets: offsetsOf(others), pinnedWidth: LEAD + front.reduce((sum, c) => sum + c.width, 0), firsts: new Set(groups.map((g) => g.columns[0]!.id)) };
  }, [columns]);
  const { width: view } = useSize(scroller, mounted);
  const [left, setLeft] = useState(0);
  const [from, to] = windowOf(offsets, left, Math.max(0, (view || innerWidth) - pinnedWidth));
  useEffect(() => {
    const element = scroller.current;
    if (!element || !mounted) return;
    let seen = "";
    const look = () => {
      const next = windowOf(offsets, element.scrollLeft, Math.max(0, element.clientWidth - pinnedWidth)).join();
      if (next === seen) return;
      seen = next;
      setLeft(element.scrollLeft);
    };
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, [scroller, offsets, pinnedWidth, mounted]);
  const drawn = useMemo<Drawn>(() => ({ pinned, shown: rest.slice(from, to), before: offsets[from] ?? 0, first: pinned.length + from + 3, firsts }), [pinned, rest, from, to, offsets, firsts]);
  const reveal = (id: string) => {
    const at = rest.findIndex((c) => c.id === id);
    const element = scroller.current;
    if (at < 0 || !element) return;
    const room = element.clientWidth - pinnedWidth;
    if (offsets[at]! < element.scrollLeft) element.scrollLeft = offsets[at]!;
    else if (offsets[at + 1]! > element.scrollLeft + room) element.scrollLeft = offsets[at + 1]! - room;
  };
  return { drawn, width: pinnedWidth + (offsets[offsets.length - 1] ?? 0), reveal };
}
