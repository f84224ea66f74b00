import { useQuery } from "@tanstack/react-query";
import { artifactHref, listArtifacts, readArtifact } from "../../api/artifacts";
import { formatBytes } from "../../model/format";
import { locale, t } from "../../i18n";
import { Icon } from "../../ui/Icon";
import { ErrorBox, SkeletonRows } from "../../ui/States";
import { csvRows, kindOf, prettyJson } from "./preview";

const MOST_BYTES = 2_000_000;
const MOST_ROWS = 200;

function Csv({ text, tab }: { text: string; tab: boolean }) {
  const rows = csvRows(text, tab ? "\t" : ",", MOST_ROWS + 1);
  const [head = [], ...body] = rows;
  return (
    <>
      <div className="csv" tabIndex={0} role="region" aria-label={t.preview}>
        <table className="plain"><thead><tr>{head.map((c, i) => <th key={i} className="l">{c}</th>)}</tr></thead>
          <tbody>{body.map((row, r) => <tr key={r}>{head.map((_, i) => <td key={i} className="l" title={row[i]}>{row[i]}</td>)}</tr>)}</tbody></table>
      </div>
      {rows.length > MOST_ROWS && <p className="note">{t.rowsShown(MOST_ROWS)}</p>}
    </>
  );
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
    queryKey: ["artifact-text", runId, path, size], enabled: file !== undefined && !file.is_dir && !large && kind !== "image" && kind !== "other",
    queryFn: async () => (await readArtifact(runId, path)).text(),
  });
  const why = kind === "other" ? t.noPreview : large && kind !== "image" ? t.tooLarge(formatBytes(size, locale)) : null;
  return (
    <>
      <header>
        <h2 className="ell" title={path}>{path}</h2><span className="muted num">{file && formatBytes(size, locale)}</span>
        <span className="right"><a className="btn ghost tiny" href={artifactHref(runId, path, true)} download><Icon name="download" small />{t.download}</a></span>
      </header>
      <div className="preview-in">
        {why && <p className="note">{why}</p>}
        {kind === "image" && <img src={artifactHref(runId, path)} alt={path} />}
        {text.isLoading && <SkeletonRows rows={5} />}
        {text.error && <ErrorBox error={text.error} onRetry={() => void text.refetch()} />}
        {text.data !== undefined && kind === "csv" && <Csv text={text.data} tab={path.endsWith(".tsv")} />}
        {text.data !== undefined && kind !== "csv" && <pre tabIndex={0}>{kind === "json" ? prettyJson(text.data) : text.data}</pre>}
      </div>
    </>
  );
}
