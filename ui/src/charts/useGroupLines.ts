import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { queryGroupBuckets, type GroupSeries } from "../api/groupBuckets";
import type { BucketColumn, Series } from "../api/buckets";
import type { Band, XAxis } from "../url/board";
import { axisMetric, baseAxis } from "./against";
import type { Curve } from "./curve";
import type { Span } from "./scale";
import type { DrawnGroup } from "./types";
import { rangeOf } from "./useLines";

export const groupId = (group: DrawnGroup) => `group:${group.name}`;

const LEAST_RUNS = 3;
const AGAIN_MS = 3000;

/** A group's curve in the shape of a run's: the mean is the line, the ends of the band are least and greatest. */
function toSeries({ key, n, xMin, xMax, cols }: GroupSeries, band: Band): Series {
  const low = Float64Array.from(cols.mean, (mean, i) => (cols.runs[i]! < LEAST_RUNS ? cols.min[i]! : band === "ci" ? cols.low[i]! : mean - cols[band][i]!));
  const high = Float64Array.from(cols.mean, (mean, i) => (cols.runs[i]! < LEAST_RUNS ? cols.max[i]! : band === "ci" ? cols.high[i]! : mean + cols[band][i]!));
  const line = { count: cols.runs, min: low, max: high, first: cols.mean, last: cols.mean, mean: cols.mean, smooth: cols.mean };
  return { runId: "", key, n, points: n, xMin, xMax, cols: { x: cols.x, x_last: cols.x_last, nan: cols.nan, pos_inf: cols.pos_inf, neg_inf: cols.neg_inf, ...line } satisfies Record<BucketColumn, Float64Array> };
}

/** The curves of groups of runs; against another metric there are none, since its runs share no steps of it. */
export function useGroupLines(keys: readonly string[], groups: DrawnGroup[], x: XAxis, band: Band, zoom: Span | null, buckets: number) {
  const asked = groups.length > 0 && axisMetric(x) === null;
  const wanted = { groups: groups.map(({ name, runIds }) => ({ name, run_ids: runIds })), keys: [...keys], x: baseAxis(x), ...rangeOf(zoom), buckets };
  const query = useQuery({
    queryKey: ["group-buckets", wanted], queryFn: ({ signal }) => queryGroupBuckets(wanted, signal), enabled: asked,
    // The curves of other groups are no stand-in: they would bear the wrong names.
    placeholderData: (old, query) => (JSON.stringify((query?.queryKey[1] as typeof wanted | undefined)?.groups) === JSON.stringify(wanted.groups) ? old : undefined), staleTime: 30_000, refetchInterval: groups.some((g) => g.live) ? AGAIN_MS : false,
  });
  const curves = useMemo(() => (asked ? query.data ?? [] : []).flatMap<Curve>((found) => {
    const group = groups[found.group];
    const at = keys.indexOf(found.key);
    if (!group || at < 0) return [];
    const name = `${group.name} (${found.runs})${keys.length > 1 ? ` · ${found.key}` : ""}`;
    return [{ id: groupId(group), key: found.key, name, slot: group.slot, dash: at, series: toSeries(found, band), live: group.live, smooth: false, band: true }];
  }), [asked, query.data, groups, keys, band]);
  return { curves, pending: asked && query.isPending, error: query.error, retry: () => void query.refetch() };
}
