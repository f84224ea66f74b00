import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { ApiError } from "../../api/http";
import { queryTable } from "../../api/table";
import { conditionsOf, toFilter } from "../../model/filter";
import { formatCount } from "../../model/format";
import { locale, t } from "../../i18n";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import type { TableProps } from "./tableTypes";

const MOST = 8;

/** Each condition of a filter that finds nothing, with how many runs it leaves out by itself; a click drops it. */
function Conditions({ asked, view, change }: TableProps) {
  const filter = toFilter(view.q);
  const parts = useMemo(() => conditionsOf(filter), [filter]);
  const total = { ...asked, columns: [], max_results: 1 };
  const counts = useQueries({ queries: ["", ...parts.slice(0, MOST)].map((part) => ({ queryKey: ["table", "excludes", { ...total, filter: part }], queryFn: () => queryTable({ ...total, filter: part }), retry: false, staleTime: 10_000 })) });
  const all = counts[0]?.data?.total;
  if (parts.length < 2 || all === undefined) return null;
  return (
    <div className="conditions">
      {parts.slice(0, MOST).map((part, i) => {
        const found = counts[i + 1]?.data?.total;
        const rest = parts.filter((_, j) => j !== i).join(" AND ");
        return (
          <button key={part + String(i)} type="button" className="chip" aria-label={t.dropCondition(part)} onClick={() => change({ q: rest })}>
            <code className="ell">{part}</code>{found !== undefined && <b className="num">{t.excludes(formatCount(all - found, locale))}</b>}<Icon name="x" small />
          </button>
        );
      })}
    </div>
  );
}

/** Why the table is empty, and what to do next. */
export function Nothing(p: TableProps) {
  const { view, change, state, lines } = p;
  const error = lines.grouped ? lines.grouped.error : state.error;
  const fresh = lines.grouped ? lines.grouped.fresh : state.fresh;
  if (error instanceof ApiError && error.status === 400 && fresh && view.q) return <EmptyState title={t.badFilter}><p>{error.message}</p><Button onClick={() => change({ q: "" })}>{t.allRuns}</Button></EmptyState>;
  if (error && fresh) return <ErrorBox error={error} onRetry={p.onChanged} />;
  if (fresh) return <SkeletonRows rows={14} />;
  if (view.q) return <EmptyState title={t.noMatch}><p>{t.noMatchText}</p><Conditions {...p} /><Button onClick={() => change({ q: "" })}>{t.allRuns}</Button></EmptyState>;
  if (view.deleted) return <EmptyState title={t.noDeletedRuns}><Button onClick={() => change({ deleted: false })}>{t.showActive}</Button></EmptyState>;
  return <EmptyState title={t.noRunsHere} />;
}
