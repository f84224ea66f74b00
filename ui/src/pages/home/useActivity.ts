import { useQuery } from "@tanstack/react-query";
import { getActivity, type Activity } from "../../api/activity";
import { DAYS, firstDay } from "../../model/days";
import { useNow } from "../../ui/hooks";

const AGAIN_MS = 60_000;

export interface Fortnight {
  since: number;
  /** By experiment; null until it is known. */
  found: Record<string, Activity> | null;
}

/** The runs of the last fortnight by day, asked for again each minute. */
export function useActivity(enabled: boolean): Fortnight {
  const since = firstDay(useNow(AGAIN_MS));
  const { data } = useQuery({ queryKey: ["activity", since], queryFn: ({ signal }) => getActivity(since, DAYS, signal), refetchInterval: AGAIN_MS, enabled });
  return { since, found: data ?? null };
}
