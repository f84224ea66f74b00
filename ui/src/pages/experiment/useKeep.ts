import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { setExperimentTag } from "../../api/experiments";
import { complain } from "../../ui/toast";

const JUDGED_BY = ["experiments", "best", "importance"];

/** Keeps in a tag of the experiment by what its runs are judged, for everyone; what was answered by it before is asked anew. */
export function useKeep(experimentId: string): (tag: string, value: string) => Promise<void> {
  const client = useQueryClient();
  return useCallback(
    (tag, value) => setExperimentTag(experimentId, tag, value).then(() => client.invalidateQueries({ predicate: ({ queryKey }) => JUDGED_BY.includes(String(queryKey[0])) }), complain),
    [experimentId, client],
  );
}
