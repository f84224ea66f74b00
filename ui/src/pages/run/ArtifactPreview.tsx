import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo } from "react";
import { artifactHref, artifactPage, listArtifacts, readArtifact, type Artifact } from "../../api/artifacts";
import { formatBytes } from "../../model/format";
import { locale, t } from "../../i18n";
import { CopyButton } from "../../ui/CopyButton";
import { Icon } from "../../ui/Icon";
import { ErrorBox, SkeletonRows } from "../../ui/States";
import { StepSlider } from "../../ui/StepSlider";
import "../../styles/media.css";
import { CodeView } from "./CodeView";
import { DiffView } from "./DiffView";
import { PageView } from "./PageView";
import { csvRows, isText, jsonLines, jsonTable, kindOf, prettyJson, stepSeries, wholeLines, type PreviewKind, type Table } from "./preview";
import { TableView } from "./TableView";
import { FileView, isDrawn } from "./media/FileView";
import { TensorView } from "./TensorView";

const Markdown = lazy(() => import("./Markdown"));
const MOST_BYTES = 2_000_000;
const START_BYTES = 256_000;
/** Pictures narrower than this many pixels are shown enlarged, their pixels as squares. */
const TINY = 160;

const isLines = (path: string) => /\.(jsonl|ndjson)$/i.test(path);

/** The table that a text is, or null. */
function tableOf(kind: PreviewKind, path: string, text: string): Table | null {
  if (kind === "json") return jsonTable(text);
  if (isLines(path)) return jsonLines(text);
  if (kind !== "csv") return null;
  const [head = [], ...body] = csvRows(text, path.endsWith(".tsv") ? "\t" : ",");
  return { head, body };
}

function Text({ kind, path, text }: { kind: PreviewKind; path: string; text: string }) {
  const table = useMemo(() => tableOf(kind, path, text), [kind, path, text]);
  if (kind === "markdown") return <Suspense fallback={<SkeletonRows rows={5} />}><Markdown text={text} /></Suspense>;
  if (kind === "diff") return <DiffView text={text} />;
  if (kind === "json" && isDrawn(text)) return <FileView text={text} name={path} step={0} tall />;
  return table ? <TableView key={path} {...table} /> : <CodeView text={kind === "json" ? prettyJson(text) : text} />;
}

/** What the browser itself shows of a file. */
function Media({ kind, runId, path }: { kind: PreviewKind; runId: string; path: string }) {
  const href = artifactHref(runId, path);
  switch (kind) {
    case "image":
      return <a href={href} target="_blank" rel="noopener" className="shown"><img src={href} alt={path} onLoad={(e) => e.currentTarget.classList.toggle("tiny", e.currentTarget.naturalWidth > 0 && e.currentTarget.naturalWidth < TINY)} /></a>;
    case "audio":
      return <audio controls preload="metadata" src={href} aria-label={path} />;
    case "video":
      return <video controls preload="metadata" src={href} aria-label={path} />;
    case "pdf":
      return <iframe className="pdf" src={artifactPage(runId, path)} title={path} />;
    case "html":
      return <PageView runId={runId} path={path} />;
    case "safetensors":
      return <TensorView runId={runId} path={path} />;
    default:
      return null;
  }
}

interface Props {
  runId: string;
  path: string;
  onChoose: (path: string) => void;
}

/** A file as what it is: text, table, picture, sound, film, page or tensors. What is none of these is offered for download. */
export function ArtifactPreview({ runId, path, onChoose }: Props) {
  const kind = kindOf(path);
  const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  const siblings = useQuery({ queryKey: ["artifacts", runId, parent], queryFn: ({ signal }) => listArtifacts(runId, parent, signal) });
  const file = siblings.data?.find((f: Artifact) => f.path === path);
  const series = useMemo(() => (kind === "image" ? stepSeries(siblings.data?.map((f) => f.path) ?? [], path) : []), [kind, siblings.data, path]);
  const size = file?.file_size ?? 0;
  const large = size > MOST_BYTES;
  const start = kind === "csv" || isLines(path) ? MOST_BYTES : START_BYTES;
  const text = useQuery({
    queryKey: ["artifact-text", runId, path, size], enabled: file !== undefined && !file.is_dir && isText(kind),
    queryFn: async ({ signal }) => {
      const read = await readArtifact(runId, path, large ? start : MOST_BYTES, signal);
      return large ? wholeLines(read) : read;
    },
  });
  const gone = siblings.data !== undefined && file === undefined;
  return (
    <>
      <header>
        <h2 className="ell" title={path}>{path}</h2><span className="muted num">{file && formatBytes(size, locale)}</span>
        <span className="right row">
          {text.data !== undefined && !large && <CopyButton text={text.data} label={t.copy} />}
          <a className="btn ghost tiny" href={artifactHref(runId, path, true)} download><Icon name="download" small />{t.download}</a>
        </span>
      </header>
      {series.length > 0 && <StepSlider steps={series.map((s) => s.step)} at={Math.max(0, series.findIndex((s) => s.path === path))} label={t.stepSlider} onChoose={(at) => onChoose(series[at]!.path)} />}
      <div className="preview-in" data-testid="preview" data-kind={kind}>
        {gone && <p className="note">{t.fileGone}</p>}
        {siblings.error && <ErrorBox error={siblings.error} onRetry={() => void siblings.refetch()} />}
        {kind === "other" && !gone && <p className="note">{t.noPreview} <a href={artifactHref(runId, path, true)} download>{t.downloadAll}</a></p>}
        {large && text.data !== undefined && <p className="note">{t.firstOf(formatBytes(start, locale), formatBytes(size, locale))} <a href={artifactHref(runId, path, true)} download>{t.downloadAll}</a></p>}
        {!gone && <Media kind={kind} runId={runId} path={path} />}
        {text.isLoading && <SkeletonRows rows={5} />}
        {text.error && <ErrorBox error={text.error} onRetry={() => void text.refetch()} />}
        {text.data === "" && <p className="note">{t.emptyFile}</p>}
        {text.data && <Text kind={kind} path={path} text={text.data} />}
      </div>
    </>
  );
}
