import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { artifactHref, listArtifacts, readArtifact } from "../../api/artifacts";
import { formatBytes } from "../../model/format";
import { locale, t } from "../../i18n";
import { Icon } from "../../ui/Icon";
import { ErrorBox, SkeletonRows } from "../../ui/States";
import { csvRows, jsonTable, kindOf, prettyJson, wholeLines, type PreviewKind, type Table } from "./preview";

const Markdown = lazy(() => import("./Markdown"));
const MOST_BYTES = 2_000_000;
const START_BYTES = 256_000;
const MOST_ROWS = 200;

function TableView({ head, body }: Table) {
  return (
    <>
      <div className="csv" tabIndex={0} role="region" aria-label={t.preview}>
        <table className="plain"><thead><tr>{head.map((c, i) => <th key={i} className="l">{c}</th>)}</tr></thead>
          <tbody>{body.slice(0, MOST_ROWS).map((row, r) => <tr key={r}>{head.map((_, i) => <td key={i} className="l" title={row[i]}>{row[i]}</td>)}</tr>)}</tbody></table>
      </div>
      {body.length > MOST_ROWS && <p className="note">{t.rowsShown(MOST_ROWS)}</p>}
    </>
  );
}

function Text({ kind, text, tab }: { kind: PreviewKind; text: string; tab: boolean }) {
  if (kind === "markdown") return <Suspense fallback={<SkeletonRows rows={5} />}><Markdown text={text} /></Suspense>;
  if (kind === "csv") {
    const [head = [], ...body] = csvRows(text, tab ? "\t" : ",", MOST_ROWS + 2);
    return <TableView head={head} body={body} />;
  }
  const table = kind === "json" ? jsonTable(text, MOST_ROWS + 1) : null;
  return table ? <TableView {...table} /> : <pre tabIndex={0}>{kind === "json" ? prettyJson(text) : text}</pre>;
}

/** Text, tables and pictures. What is none of these is offered for download. */
export function ArtifactPreview({ runId, path }: { runId: string; path: string }) {
  const kind = kindOf(path);
  const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  const siblings = useQuery({ queryKey: ["artifacts", runId, parent], queryFn: ({ signal }) => listArtifacts(runId, parent, signal) });
  const file = siblings.data?.find((f) => f.path === path);
  const size = file?.file_size ?? 0;
  const large = size > MOST_BYTES;
  const text = useQuery({
    queryKey: ["artifact-text", runId, path, size], enabled: file !== undefined && !file.is_dir && kind !== "image" && kind !== "other",
    queryFn: async ({ signal }) => {
      const start = await readArtifact(runId, path, large ? START_BYTES : MOST_BYTES, signal);
      return large ? wholeLines(start) : start;
    },
  });
  return (
    <>
      <header>
        <h2 className="ell" title={path}>{path}</h2><span className="muted num">{file && formatBytes(size, locale)}</span>
        <span className="right"><a className="btn ghost tiny" href={artifactHref(runId, path, true)} download><Icon name="download" small />{t.download}</a></span>
      </header>
      <div className="preview-in">
        {kind === "other" && <p className="note">{t.noPreview}</p>}
        {large && text.data !== undefined && <p className="note">{t.firstOf(formatBytes(START_BYTES, locale), formatBytes(size, locale))} <a href={artifactHref(runId, path, true)} download>{t.downloadAll}</a></p>}
        {kind === "image" && <img src={artifactHref(runId, path)} alt={path} />}
        {text.isLoading && <SkeletonRows rows={5} />}
        {text.error && <ErrorBox error={text.error} onRetry={() => void text.refetch()} />}
        {text.data !== undefined && <Text kind={kind} text={text.data} tab={path.endsWith(".tsv")} />}
      </div>
    </>
  );
}
