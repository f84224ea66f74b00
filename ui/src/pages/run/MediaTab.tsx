import { useDeferredValue, useMemo } from "react";
import { useQuery } from "@tanstack/react-query";
import { listMedia, type MediaKind } from "../../api/media";
import type { RunDetail } from "../../api/runs";
import { t } from "../../i18n";
import { allSteps, placeAt } from "../../model/media";
import { matchesGlob } from "../../model/metrics";
import { Button } from "../../ui/Button";
import { useKeys } from "../../ui/keys";
import { CopyButton } from "../../ui/CopyButton";
import { Icon } from "../../ui/Icon";
import { useView } from "../../ui/router";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import { StepSlider } from "../../ui/StepSlider";
import { formatMedia, parseMedia } from "../../url/media";
import { runPath } from "../../url/routes";
import "../../styles/media.css";
import { MediaCard } from "./media/MediaCard";

const ORDER: MediaKind[] = ["image", "histogram", "confusion-matrix", "pr-curve", "roc-curve", "audio"];
const EXAMPLE = 'logbuch.log_histogram("weights", values, step)\nlogbuch.log_confusion_matrix(y_true, y_pred)\nlogbuch.log_image(picture, key="samples", step=step)';

/** A run's pictures, sounds, histograms, matrices and curves, all at the same step. */
export default function MediaTab({ run }: { run: RunDetail }) {
  const { run_id: runId, experiment_id } = run.info;
  const [view, change] = useView(parseMedia, formatMedia);
  const search = useDeferredValue(view.q);
  const found = useQuery({ queryKey: ["media", runId], queryFn: ({ signal }) => listMedia(runId, signal) });
  const all = useMemo(() => found.data ?? [], [found.data]);
  const steps = useMemo(() => allSteps(all), [all]);
  const shown = useMemo(() => all.filter((s) => matchesGlob(s.key, search)), [all, search]);
  useKeys(view.open ? { Escape: () => change({ open: "" }, true) } : {});
  if (found.error && !found.data) return <ErrorBox error={found.error} onRetry={() => void found.refetch()} />;
  if (found.isPending) return <SkeletonRows rows={8} />;
  if (!all.length) return <EmptyState title={t.noMedia}><p>{t.noMediaHint}</p><div className="code"><pre>{EXAMPLE}</pre><CopyButton text={EXAMPLE} label={t.copy} /></div></EmptyState>;
  const fileLink = (path: string) => `${runPath(experiment_id, runId, "artifacts")}?path=${encodeURIComponent(path)}`;
  return (
    <div className="cw mediatab">
      <div className="cbar">
        <label className="search"><Icon name="search" small /><input value={view.q} placeholder={t.searchMedia} aria-label={t.searchMedia} onChange={(e) => change({ q: e.target.value, open: "" }, true)} /></label>
        <span className="muted num hide-s">{t.nSeries(shown.length)}</span>
        {steps.length > 1 && <div className="grow mstep"><StepSlider steps={steps} at={placeAt(steps, view.step)} label={t.allStepsOf} onChoose={(at) => change({ step: at === steps.length - 1 ? null : steps[at]! }, true)} /></div>}
        {view.step !== null && <Button look="ghost" className="tiny" onClick={() => change({ step: null }, true)}>{t.latestStep}</Button>}
      </div>
      {shown.length === 0 && <EmptyState title={t.noMediaMatches}><p>{t.searchHint}</p></EmptyState>}
      {ORDER.map((kind) => {
        const list = shown.filter((s) => s.kind === kind);
        return list.length > 0 && (
          <div key={kind} className="section">
            <h2 className="ns">{t.kindOf[kind]} <span className="muted">{list.length}</span></h2>
            <div className={`grid2 mediagrid ${kind}`}>
              {list.map((series) => {
                const id = `${kind}/${series.key}`;
                return <MediaCard key={id} runId={runId} series={series} step={view.step} full={view.open === id} onFull={(on) => change({ open: on ? id : "" }, true)} fileLink={fileLink} />;
              })}
            </div>
          </div>
        );
      })}
    </div>
  );
}
