import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ApiError } from "../../api/http";
import { getModel, searchVersions } from "../../api/models";
import { t } from "../../i18n";
import { Top } from "../../parts/Top";
import { Button } from "../../ui/Button";
import { useTitle } from "../../ui/hooks";
import { Link, useView } from "../../ui/router";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import { AuditCard } from "./AuditCard";
import { ModelActions } from "./ModelActions";
import { VersionCard } from "./VersionCard";
import { VersionTable } from "./VersionTable";
import "../../styles/home.css";
import "../../styles/run.css";
import "../../styles/models.css";

const parse = (search: string) => ({ v: new URLSearchParams(search).get("v") ?? "" });
const format = ({ v }: { v: string }) => (v ? `?${new URLSearchParams({ v }).toString()}` : "");

/** A registered model: its versions, where the chosen one comes from, and what was changed. */
export default function ModelPage({ name }: { name: string }) {
  const [view, change] = useView(parse, format);
  const model = useQuery({ queryKey: ["model", name], queryFn: ({ signal }) => getModel(name, signal), refetchInterval: 10_000 });
  const versions = useInfiniteQuery({
    queryKey: ["versions", name],
    queryFn: ({ pageParam, signal }) => searchVersions(name, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: 10_000,
  });
  useTitle(name);
  if (model.error instanceof ApiError && model.error.status === 404)
    return <main id="main" className="page" tabIndex={-1}><Top crumbs={[{ label: t.models, to: "/models" }, { label: name }]} live={false} /><div className="body"><EmptyState title={t.noModel}><p>{t.goneText}</p><Link to="/models" className="btn">{t.keyGoModels}</Link></EmptyState></div></main>;
  const shown = versions.data?.pages.flatMap((page) => page.items) ?? [];
  const chosen = shown.find(({ version }) => version === view.v) ?? shown[0];
  return (
    <main id="main" className="page" tabIndex={-1}>
      <Top crumbs={[{ label: t.models, to: "/models" }, { label: name }]} live={false}>
        {model.data && <ModelActions model={model.data} versions={shown.length} />}
      </Top>
      <div className="body">
        <div className="hlay">
          <div className="mcol">
            {model.data?.description && <p className="mdesc">{model.data.description}</p>}
            <section className="card">
              <header><h2>{t.versionsHead}</h2></header>
              {versions.error && !versions.data && <ErrorBox error={versions.error} onRetry={() => void versions.refetch()} />}
              {versions.isPending && <SkeletonRows rows={5} />}
              {shown.length > 0 && <VersionTable versions={shown} chosen={chosen?.version} onChoose={(v) => change({ v })} />}
              {versions.data && shown.length === 0 && <EmptyState title={t.noVersions} />}
            </section>
            {versions.hasNextPage && <Button onClick={() => void versions.fetchNextPage()}>{t.moreModels}</Button>}
            <AuditCard name={name} />
          </div>
          {chosen && <VersionCard key={chosen.version} version={chosen} />}
        </div>
      </div>
    </main>
  );
}
