import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { readArtifactBytes } from "../../api/artifacts";
import { formatBytes, formatCount } from "../../model/format";
import { matchesGlob } from "../../model/metrics";
import { locale, t } from "../../i18n";
import { Icon } from "../../ui/Icon";
import { ErrorBox, SkeletonRows } from "../../ui/States";
import { tensorHeader, type TensorFile } from "./preview";

const FIRST_BYTES = 65_536;
const MOST_SHOWN = 500;

/** The header alone is read, in two steps when it is long; the tensors stay where they are. */
async function readHeader(runId: string, path: string, signal: AbortSignal): Promise<TensorFile | null> {
  const found = tensorHeader(await readArtifactBytes(runId, path, FIRST_BYTES, signal));
  if (found === null || !("needs" in found)) return found;
  const whole = tensorHeader(await readArtifactBytes(runId, path, found.needs, signal));
  return whole && !("needs" in whole) ? whole : null;
}

/** The tensors of a safetensors file by name, type and shape, with its metadata. */
export function TensorView({ runId, path }: { runId: string; path: string }) {
  const [search, setSearch] = useState("");
  const file = useQuery({ queryKey: ["tensors", runId, path], queryFn: ({ signal }) => readHeader(runId, path, signal) });
  if (file.isPending) return <SkeletonRows rows={6} />;
  if (file.error) return <ErrorBox error={file.error} onRetry={() => void file.refetch()} />;
  if (!file.data) return <p className="note">{t.noTensors}</p>;
  const { tensors, metadata, parameters } = file.data;
  const found = tensors.filter((tensor) => matchesGlob(tensor.name, search));
  return (
    <div data-testid="tensors">
      <p className="note num">{t.tensorsOf(formatCount(tensors.length, locale), formatCount(parameters, locale))}</p>
      {metadata.length > 0 && <dl className="kv">{metadata.map(([key, value]) => <div key={key}><dt>{key}</dt><dd className="ell" title={value}>{value}</dd></div>)}</dl>}
      {tensors.length > 12 && <label className="search wide"><Icon name="search" small /><input value={search} placeholder="*.lora_A.*" aria-label={t.searchTensors} spellCheck={false} onChange={(e) => setSearch(e.target.value)} /></label>}
      <div className="csv" tabIndex={0} role="region" aria-label={t.preview}>
        <table className="plain">
          <thead><tr><th className="l">{t.name}</th><th className="l">{t.dtype}</th><th>{t.shape}</th><th>{t.size}</th></tr></thead>
          <tbody>{found.slice(0, MOST_SHOWN).map((x) => <tr key={x.name}><td className="l" title={x.name}>{x.name}</td><td className="l">{x.dtype}</td><td className="num">{x.shape.join(" × ") || "–"}</td><td className="num">{formatBytes(x.size, locale)}</td></tr>)}</tbody>
        </table>
      </div>
      {found.length > MOST_SHOWN && <p className="note">{t.andMore(found.length - MOST_SHOWN)}</p>}
    </div>
  );
}
