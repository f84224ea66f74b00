import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { artifactHref, listArtifacts } from "../../api/artifacts";
import type { RunDetail } from "../../api/runs";
import { KEPT_FOLDER, reproduction, type Reproduction } from "../../model/reproduction";

/** The commands that start a run again, with what was kept beside it: the patch, the packages. */
export function useReproduction({ info: { run_id: id }, tags }: RunDetail): Reproduction {
  const files = useQuery({ queryKey: ["artifacts", id, KEPT_FOLDER], queryFn: ({ signal }) => listArtifacts(id, KEPT_FOLDER, signal) });
  return useMemo(() => {
    const paths = files.data?.map((f) => f.path) ?? [];
    // The slashes stay, so that the line is one that a person can read.
    const href = (path: string) => new URL(artifactHref(id, path, true), location.origin).href.replaceAll("%2F", "/");
    return reproduction(tags, { paths, href }, { id, server: location.origin });
  }, [files.data, id, tags]);
}
