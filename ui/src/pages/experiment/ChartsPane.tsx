import { useCallback, useMemo } from "react";
import type { Columns, Row } from "../../api/table";
import type { GroupSource } from "../../api/groupBuckets";
import { toFilter } from "../../model/filter";
import { slotOf } from "../../model/slots";
import { isRunning } from "../../model/status";
import { t } from "../../i18n";
import { Board } from "../../charts/Board";
import type { DrawnRun } from "../../charts/types";
import { useSame } from "../../ui/hooks";
import { useKeptBoard } from "../../charts/useKept";
import { useFindingsOf } from "../../parts/findings";
import { EmptyState, SkeletonRows } from "../../ui/States";
import type { BoardView } from "../../url/board";
import type { ExperimentView } from "../../url/experiment";
import type { MainMetric } from "./useExperiment";

interface Props {
  experimentId: string;
  view: ExperimentView;
  change: (change: Partial<ExperimentView>, replace?: boolean) => void;
  columns: Columns | undefined;
  main: MainMetric;
  rows: Row[];
  slots: string[];
  lead: string | null;
  ready: boolean;
  /** The first search was refused: there are no runs to draw. */
  failed: boolean;
}

const MOST_CONTEXT = 60;

/** The charts of the drawn runs; the other runs of the filter stand behind the main one in grey. */
export function ChartsPane({ experimentId, view, change, columns, main, rows, slots, lead, ready, failed }: Props) {
  const names = useMemo(() => new Map(rows.map((r) => [r.run.run_id, r.run])), [rows]);
  const drawn = useSame<DrawnRun[]>(slots.flatMap((id, slot) => {
    const run = names.get(id);
    return id === "" ? [] : [{ id, name: run?.name ?? id.slice(0, 8), slot, live: run ? isRunning(run) : false }];
  }));
  const context = useSame<DrawnRun[]>(rows.filter((r) => slotOf(slots, r.run.run_id) === null).slice(0, MOST_CONTEXT).map((r) => ({ id: r.run.run_id, name: r.run.name, slot: null, live: false })));
  const keys = useMemo(() => columns?.metrics.map((m) => m.key) ?? [], [columns]);
  const onBoard = useCallback((part: Partial<BoardView>) => change(part, true), [change]);
  // One object as long as the groups are the same, so that the charts are left alone.
  const [source] = useSame<GroupSource[]>(view.group.length ? [{ experiment_ids: [experimentId], filter: toFilter(view.q), view: view.deleted ? "deleted" : "active", by: view.group }] : []);
  const marks = useFindingsOf(useMemo(() => (source ? [] : drawn.map((run) => run.id)), [source, drawn]));
  useKeptBoard(experimentId, view, onBoard);
  if (failed) return <div className="cw"><EmptyState title={t.noneToDraw} /></div>;
  if (!columns || !ready) return <div className="cw"><SkeletonRows rows={8} /></div>;
  return (
    <div className="cw">
      <Board keys={keys} main={main.key} drawn={drawn} context={context} view={view} change={onBoard} groups={source ?? null} lead={source ? null : lead} lower={main.lower} syncKey="experiment" marks={marks}
        nothing={!source && drawn.length === 0 && context.length === 0 ? (rows.length ? t.noDrawn : t.noneToDraw) : undefined} />
    </div>
  );
}
