import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { artifactHref, listArtifacts, type Artifact } from "../../api/artifacts";
import { formatBytes } from "../../model/format";
import { locale, t } from "../../i18n";
import { Icon } from "../../ui/Icon";
import { useView } from "../../ui/router";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import { ArtifactPreview } from "./ArtifactPreview";

const parse = (search: string) => ({ path: new URLSearchParams(search).get("path") ?? "" });
const format = ({ path }: { path: string }) => (path ? `?path=${encodeURIComponent(path).replaceAll("%2F", "/")}` : "");

interface TreeProps {
  runId: string;
  path: string;
  depth: number;
  chosen: string;
  onChoose: (path: string) => void;
}

/** The entries of one folder; folders open below themselves. */
function Tree({ runId, path, depth, chosen, onChoose }: TreeProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set());
  const files = useQuery({ queryKey: ["artifacts", runId, path], queryFn: ({ signal }) => listArtifacts(runId, path, signal) });
  const sorted = useMemo(() => [...(files.data ?? [])].sort((a, b) => Number(b.is_dir) - Number(a.is_dir) || a.path.localeCompare(b.path, undefined, { numeric: true })), [files.data]);
  if (files.isPending) return <SkeletonRows rows={2} />;
  if (files.error) return <ErrorBox error={files.error} onRetry={() => void files.refetch()} />;
  if (depth === 0 && sorted.length === 0) return <EmptyState title={t.noArtifacts} />;
  const press = (file: Artifact) => {
    if (!file.is_dir) return onChoose(file.path);
    const next = new Set(open);
    if (!next.delete(file.path)) next.add(file.path);
    setOpen(next);
  };
  return (
    <ul className="files">
      {sorted.map((file) => {
        const unfolded = open.has(file.path) || (file.is_dir && chosen.startsWith(`${file.path}/`));
        return (
          <li key={file.path}>
            <div className={`li${file.path === chosen ? " on" : ""}`} data-testid="artifact-row" data-path={file.path}>
              <button type="button" className="filebtn" style={{ paddingLeft: depth * 16 }} aria-expanded={file.is_dir ? unfolded : undefined} aria-current={file.path === chosen || undefined} onClick={() => press(file)}>
                <span className="muted">{file.is_dir ? <Icon name={unfolded ? "down" : "right"} small /> : null}</span>
                <span className="muted"><Icon name={file.is_dir ? "folder" : "file"} small /></span>
                <span className="ell grow">{file.path.slice(file.path.lastIndexOf("/") + 1)}</span>
              </button>
              {!file.is_dir && <span className="muted num">{formatBytes(file.file_size, locale)}</span>}
              {!file.is_dir && <a className="btn ghost tiny icon" href={artifactHref(runId, file.path, true)} download aria-label={`${t.download}: ${file.path}`} title={t.download}><Icon name="download" small /></a>}
            </div>
            {unfolded && <Tree runId={runId} path={file.path} depth={depth + 1} chosen={chosen} onChoose={onChoose} />}
          </li>
        );
      })}
    </ul>
  );
}

export default function ArtifactsTab({ runId }: { runId: string }) {
  const [{ path }, change] = useView(parse, format);
  return (
    <div className="rlay arts">
      <section className="card"><Tree runId={runId} path="" depth={0} chosen={path} onChoose={(next) => change({ path: next })} /></section>
      <section className="card preview">{path ? <ArtifactPreview runId={runId} path={path} onChoose={(next) => change({ path: next }, true)} /> : <EmptyState title={t.pickFile} />}</section>
    </div>
  );
}
