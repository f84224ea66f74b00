import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { searchLines } from "../../api/logs";

const PAUSE = 250;

/** Lines with a text, found by the server: null while it is looking, or nothing is looked for. */
export function useLogSearch(runId: string, text: string, total: number): { numbers: number[]; more: boolean } | null {
  const [wanted, setWanted] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setWanted(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  // New lines are looked through when the text is looked for again, not at each line that comes.
  const found = useQuery({
    queryKey: ["log-search", runId, wanted], enabled: wanted !== "" && total > 0,
    queryFn: ({ signal }) => searchLines(runId, wanted, signal), staleTime: 5000, placeholderData: undefined,
  });
  return text !== "" && wanted === text ? (found.data ?? null) : null;
}
