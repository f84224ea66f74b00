import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { artifactHref, readArtifact } from "../../../api/artifacts";
import { getHistograms, type MediaSeries } from "../../../api/media";
import { locale, t } from "../../../i18n";
import { formatCount } from "../../../model/format";
import { placeAt } from "../../../model/media";
import { Button } from "../../../ui/Button";
import { useInView, useStore } from "../../../ui/hooks";
import { Icon } from "../../../ui/Icon";
import { printing } from "../../../ui/printing";
import { Link } from "../../../ui/router";
import { ErrorBox, SkeletonRows } from "../../../ui/States";
import { FileView } from "./FileView";
import { HistogramView } from "./HistogramView";

interface Props {
  runId: string;
  series: MediaSeries;
  /** The step that is shown, or the last one before it; null is the latest. */
  step: number | null;
  full: boolean;
  onFull: (full: boolean) => void;
  /** The address of a file in the artifacts. */
  fileLink: (path: string) => string;
}

const MOST_BYTES = 8_000_000;

/** One series at one step; what it shows is only fetched when it comes into view. */
export function MediaCard({ runId, series, step, full, onFull, fileLink }: Props) {
  const card = useRef<HTMLElement>(null);
  const seen = useInView(card);
  const paper = useStore(printing);
  const at = placeAt(series.steps, step);
  const path = series.paths[at];
  return (
    <section ref={card} className={`card media ${series.kind}${full ? " full" : ""}`} data-testid="media-card" data-key={series.key} data-kind={series.kind}>
      <header>
        <h3 className="ell" title={series.key}>{series.key}</h3>
        <span className="muted num">{t.atStepOf(formatCount(series.steps[at]!, locale), series.steps.length)}</span>
        <span className="right">
          {path && <Link className="btn ghost tiny icon" to={fileLink(path)} title={t.showFile} aria-label={`${t.showFile}: ${series.key}`}><Icon name="file" small /></Link>}
          <Button look="ghost" className="tiny" icon={full ? "x" : "full"} aria-label={`${full ? t.close : t.enlarge}: ${series.key}`} onClick={() => onFull(!full)} />
        </span>
      </header>
      <div className="media-in">{seen || full || paper ? <Content runId={runId} series={series} at={at} full={full} /> : null}</div>
    </section>
  );
}

function Content({ runId, series, at, full }: { runId: string; series: MediaSeries; at: number; full: boolean }) {
  const path = series.paths[at];
  if (series.kind === "histogram" && !path) return <Histograms runId={runId} series={series} at={at} full={full} />;
  if (!path) return null;
  if (series.kind === "image") return <a href={artifactHref(runId, path)} target="_blank" rel="noopener" className="shown"><img src={artifactHref(runId, full ? path : (series.thumbnails[at] ?? path))} alt={`${series.key}, ${t.step(formatCount(series.steps[at]!, locale))}`} /></a>;
  if (series.kind === "audio") return <audio controls preload="metadata" src={artifactHref(runId, path)} aria-label={series.key} />;
  return <TextFile runId={runId} path={path} name={series.key} step={series.steps[at]!} full={full} />;
}

function Histograms({ runId, series, at, full }: { runId: string; series: MediaSeries; at: number; full: boolean }) {
  const count = series.steps.length;
  const found = useQuery({ queryKey: ["histograms", runId, series.key, count], queryFn: ({ signal }) => getHistograms(runId, series.key, signal), placeholderData: keepPreviousData });
  const all = useMemo(() => found.data?.steps.map((step, i) => ({ step, edges: found.data.edges[i]!, counts: found.data.counts[i]!, nan: found.data.nan[i]!, infinite: found.data.infinite[i]! })) ?? [], [found.data]);
  if (found.error) return <ErrorBox error={found.error} onRetry={() => void found.refetch()} />;
  if (!all.length) return <SkeletonRows rows={4} />;
  return (
    <>
      <HistogramView name={series.key} histograms={all} at={placeAt(found.data!.steps, series.steps[at]!)} tall={full} />
      {all.length < found.data!.total && <p className="mcap num">{t.evenChoice(formatCount(all.length, locale), formatCount(found.data!.total, locale))}</p>}
    </>
  );
}

function TextFile({ runId, path, name, step, full }: { runId: string; path: string; name: string; step: number; full: boolean }) {
  // A file of a series is never written again: its name holds a random id.
  const text = useQuery({ queryKey: ["media-text", runId, path], queryFn: ({ signal }) => readArtifact(runId, path, MOST_BYTES, signal), staleTime: Infinity, placeholderData: keepPreviousData });
  if (text.error) return <ErrorBox error={text.error} onRetry={() => void text.refetch()} />;
  return text.data === undefined ? <SkeletonRows rows={4} /> : <FileView text={text.data} name={name} step={step} tall={full} />;
}
