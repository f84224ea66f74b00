import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { queryGroupBuckets, type GroupSeries, type GroupSource } from "../api/groupBuckets";
import type { BucketColumn, Series } from "../api/buckets";
import { t } from "../i18n";
import { formatParam } from "../model/format";
import { MOST_DRAWN } from "../model/slots";
import type { Band, XAxis } from "../url/board";
import { axisMetric, baseAxis } from "./against";
import type { Curve } from "./curve";
import type { Span } from "./scale";
import { rangeOf } from "./useLines";

const LEAST_RUNS = 3;
const AGAIN_MS = 10_000;
const NO_SOURCE: GroupSource = { experiment_ids: [], filter: "", view: "active", by: [] };

/** A group's curve in the shape of a run's: the mean is the line, the ends of the band are least and greatest. */
function toSeries({ key, n, xMin, xMax, cols }: GroupSeries, band: Band): Series {
  const low = Float64Array.from(cols.mean, (mean, i) => (cols.runs[i]! < LEAST_RUNS ? cols.min[i]! : band === "ci" ? cols.low[i]! : mean - cols[band][i]!));
  const high = Float64Array.from(cols.mean, (mean, i) => (cols.runs[i]! < LEAST_RUNS ? cols.max[i]! : band === "ci" ? cols.high[i]! : mean + cols[band][i]!));
  const line = { count: cols.runs, min: low, max: high, first: cols.mean, last: cols.mean, mean: cols.mean, smooth: cols.mean };
  return { runId: "", key, n, points: n, xMin, xMax, cols: { x: cols.x, x_last: cols.x_last, nan: cols.nan, pos_inf: cols.pos_inf, neg_inf: cols.neg_inf, ...line } satisfies Record<BucketColumn, Float64Array> };
}

const nameOf = (values: (string | null)[]) => values.map((v) => (v === null ? t.notSet : formatParam(v))).join(" · ");

/** The curves of groups of runs; against another metric there are none, since its runs share no steps of it. */
export function useGroupLines(keys: readonly string[], source: GroupSource | null, x: XAxis, band: Band, zoom: Span | null, buckets: number) {
  const asked = source !== null && axisMetric(x) === null;
  const wanted = { ...(source ?? NO_SOURCE), keys: [...keys], x: baseAxis(x), ...rangeOf(zoom), buckets };
  const of = JSON.stringify(source);
  const query = useQuery({
    queryKey: ["group-buckets", of, wanted], queryFn: ({ signal }) => queryGroupBuckets(wanted, signal), enabled: asked,
    // The curves of other groups are no stand-in: they would bear the wrong names.
    placeholderData: (old, before) => (before?.queryKey[1] === of ? old : undefined), staleTime: 30_000, refetchInterval: AGAIN_MS,
  });
  const curves = useMemo(() => (asked ? (query.data?.series ?? []) : []).flatMap<Curve>((found) => {
    const at = keys.indexOf(found.key);
    if (at < 0) return [];
    const group = nameOf(query.data!.groups[found.group] ?? []);
    const name = `${group} (${found.runs})${keys.length > 1 ? ` · ${found.key}` : ""}`;
    return [{ id: `group:${group}`, key: found.key, name, slot: found.group < MOST_DRAWN ? found.group : null, dash: at, series: toSeries(found, band), live: false, smooth: false, band: true }];
  }), [asked, query.data, keys, band]);
  return { curves, pending: asked && query.isPending, error: query.error, retry: () => void query.refetch() };
}
