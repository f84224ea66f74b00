import { useCallback, useMemo } from "react";
import type { RunDetail } from "../../api/runs";
import { Board } from "../../charts/Board";
import type { DrawnRun } from "../../charts/types";
import { useKeptBoard } from "../../charts/useKept";
import { isRunning } from "../../model/status";
import { useFindings } from "../../parts/findings";
import { EmptyState } from "../../ui/States";
import { useView } from "../../ui/router";
import { formatBoardSearch, parseBoardSearch, type BoardView } from "../../url/board";

/** The run as the charts want it. */
export function useDrawn({ info }: RunDetail): DrawnRun[] {
  const live = isRunning(info);
  return useMemo(() => [{ id: info.run_id, name: info.name, slot: 0, live }], [info.run_id, info.name, live]);
}

interface Props {
  run: RunDetail;
  keys: string[];
  main: string | null;
  empty: string;
  hint: string;
  /** The name under which the charts' settings are kept. */
  place: string;
}

/** All charts of one run, by namespace. */
export function RunCharts({ run, keys, main, empty, hint, place }: Props) {
  const [view, change] = useView(parseBoardSearch, formatBoardSearch);
  const drawn = useDrawn(run);
  const marks = useFindings(run.info.run_id);
  const onBoard = useCallback((part: Partial<BoardView>) => change(part, true), [change]);
  useKeptBoard(`${run.info.experiment_id}.${place}`, view, onBoard);
  if (!keys.length) return <EmptyState title={empty}><p>{hint}</p></EmptyState>;
  return (
    <div className="cw">
      <Board keys={keys} main={main} drawn={drawn} view={view} change={onBoard} lead={run.info.run_id} syncKey="run" marks={marks} />
    </div>
  );
}
