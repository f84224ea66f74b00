import { useInfiniteQuery } from "@tanstack/react-query";
import { searchAudit } from "../../api/models";
import { locale, t } from "../../i18n";
import { formatMoment } from "../../model/format";
import { Button } from "../../ui/Button";
import { useNow } from "../../ui/hooks";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import { told } from "./told";

/** Who changed what, the last first. */
export function AuditCard({ name }: { name: string }) {
  const now = useNow();
  const query = useInfiniteQuery({
    queryKey: ["audit", name],
    queryFn: ({ pageParam, signal }) => searchAudit(name, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: 10_000,
  });
  const entries = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section className="card">
      <header><h2>{t.history}</h2></header>
      {query.isPending && <SkeletonRows rows={4} />}
      {query.error && !query.data && <ErrorBox error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && entries.length === 0 && <EmptyState title={t.noHistory} />}
      <ol className="audit">
        {entries.map((entry) => (
          <li key={entry.id} data-testid="audit-entry">
            <span className="muted num">{formatMoment(entry.time, now, locale)}</span>
            <span><b title={entry.address}>{entry.user || t.somebody}</b> {told(entry)}</span>
          </li>
        ))}
      </ol>
      {query.hasNextPage && <div className="padded"><Button look="ghost" onClick={() => void query.fetchNextPage()}>{t.moreModels}</Button></div>}
    </section>
  );
}
