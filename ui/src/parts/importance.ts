import { useQuery } from "@tanstack/react-query";
import { getImportance, type Importance, type ImportanceQuestion } from "../api/answers";
import { ApiError } from "../api/http";
import { useRefresh } from "./queries";

/** That no run has a value is an answer too. */
export async function orNone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** What the server says of the parameters that explain a metric: null where no run has a value, undefined while that is asked. An answer about other runs stays until the new one is here, one about another metric does not. `key` stands for a question that is too long to be compared. */
export function useImportance(question: ImportanceQuestion | null, key: unknown = question): Importance | null | undefined {
  useRefresh(["importance"], 4000);
  const found = useQuery<Importance | null>({
    queryKey: ["importance", key], queryFn: ({ signal }) => orNone(getImportance(question!, signal)), enabled: question !== null,
    placeholderData: (old) => (old?.metric === question?.metric ? old : undefined),
  });
  return found.error ? null : found.data;
}
