import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getBest, type Best, type Importance, type Question } from "../../api/answers";
import { orNone, useImportance } from "../../parts/importance";
import { useRefresh } from "../../parts/queries";

/** The best run as the server tells it, null where there is none, and what explains the metric; undefined while that is asked. */
export function useAnswers(question: Question | null): { best: Best | null | undefined; importance: Importance | null | undefined } {
  useRefresh(["best"], 4000);
  const enabled = question !== null;
  const best = useQuery({ queryKey: ["best", question], queryFn: ({ signal }) => orNone(getBest(question!, signal)), enabled, placeholderData: keepPreviousData });
  return { best: best.data, importance: useImportance(question) };
}
