import { useState } from "react";
import { artifactPage } from "../../api/artifacts";
import { t } from "../../i18n";
import { Segment } from "../../ui/Button";
import { useQuery } from "@tanstack/react-query";
import { readArtifact } from "../../api/artifacts";
import { CodeView } from "./CodeView";

const MOST_SOURCE = 512_000;

/** A page in HTML, run in a frame that has an origin of its own and no network, or as its source. */
export function PageView({ runId, path }: { runId: string; path: string }) {
  const [as, setAs] = useState<"page" | "source">("page");
  const source = useQuery({ queryKey: ["artifact-source", runId, path], enabled: as === "source", queryFn: ({ signal }) => readArtifact(runId, path, MOST_SOURCE, signal) });
  return (
    <>
      <div className="preview-bar"><Segment label={t.preview} value={as} onChange={setAs} options={[{ value: "page", label: t.asPage }, { value: "source", label: t.asSource }]} /><span className="muted">{t.pageSandboxed}</span></div>
      {as === "page" ? <iframe className="html" sandbox="allow-scripts" src={artifactPage(runId, path)} title={path} /> : source.data !== undefined && <CodeView text={source.data} />}
    </>
  );
}
