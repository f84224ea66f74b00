import { useEffect, useRef } from "react";
import { readStored, writeStored } from "../ui/hooks";
import { DEFAULT_BOARD, formatBoardSearch, parseBoardSearch, type BoardView } from "../url/board";

export const DEFAULTS_KEY = "logbuch.charts";

/** What of a board lasts beyond the visit; a search and a zoom are of the moment. */
const lasting = (view: BoardView): BoardView => ({ x: view.x, smooth: view.smooth, band: view.band, options: view.options, own: view.own, fold: view.fold, zoom: null, charts: "" });
const untouched = formatBoardSearch(DEFAULT_BOARD);

/**
 * Keeps the charts' settings of one page in this browser. An address that says nothing of charts gets what was kept,
 * or the defaults of the settings; an address that does wins, so that a link shows everyone the same.
 */
export function useKeptBoard(place: string, view: BoardView, change: (part: Partial<BoardView>) => void): void {
  const key = `${DEFAULTS_KEY}.${place}`;
  const text = formatBoardSearch(lasting(view));
  const before = useRef<string | null>(null);
  useEffect(() => {
    if (before.current === null) {
      before.current = text;
      const kept = readStored(key) ?? readStored(DEFAULTS_KEY);
      if (text === untouched && kept !== null && kept !== untouched) change(lasting(parseBoardSearch(kept)));
    } else if (before.current !== text) {
      before.current = text;
      writeStored(key, text === (readStored(DEFAULTS_KEY) ?? untouched) ? null : text);
    }
  }, [key, text, change]);
}
