import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getBest, getImportance, type Best, type Importance, type Question } from "../../api/answers";
import { ApiError } from "../../api/http";
import { useRefresh } from "../../parts/queries";

/** That no finished run has a value is an answer too. */
async function orNone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** The best run as the server tells it, null where there is none, and what explains the metric; undefined while that is asked. */
export function useAnswers(question: Question | null): { best: Best | null | undefined; importance: Importance | null | undefined } {
  useRefresh(["best", "importance"], 4000);
  const enabled = question !== null;
  const best = useQuery({ queryKey: ["best", question], queryFn: ({ signal }) => orNone(getBest(question!, signal)), enabled, placeholderData: keepPreviousData });
  const importance = useQuery({ queryKey: ["importance", question], queryFn: ({ signal }) => orNone(getImportance(question!, signal)), enabled, placeholderData: keepPreviousData });
  return { best: best.data, importance: importance.data };
}
