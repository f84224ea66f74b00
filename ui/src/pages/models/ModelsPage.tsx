import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { createModel, searchModels, type RegisteredModel } from "../../api/models";
import { t } from "../../i18n";
import { CopyButton } from "../../ui/CopyButton";
import { Top } from "../../parts/Top";
import { Button } from "../../ui/Button";
import { Ask } from "../../ui/Dialog";
import { useTitle } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { navigate, useView } from "../../ui/router";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import { modelPath } from "../../url/routes";
import { ModelTable } from "./ModelTable";
import "../../styles/home.css";

const parse = (search: string) => ({ q: new URLSearchParams(search).get("q") ?? "" });
const format = ({ q }: { q: string }) => (q ? `?${new URLSearchParams({ q }).toString()}` : "");
const REGISTER = `import logbuch\n\nlogbuch.register_model("runs:/<run id>/model", "my-model")`;

/** All registered models. */
export default function ModelsPage() {
  const [view, change] = useView(parse, format);
  const [creating, setCreating] = useState(false);
  const query = useInfiniteQuery({
    queryKey: ["models", view.q],
    queryFn: ({ pageParam, signal }) => searchModels(view.q, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: 10_000,
  });
  useTitle(t.models);
  const shown: RegisteredModel[] = query.data?.pages.flatMap((page) => page.items) ?? [];
  const create = async (name: string) => {
    await createModel(name);
    navigate(modelPath(name));
  };
  return (
    <main id="main" className="page" tabIndex={-1}>
      <Top crumbs={[{ label: t.models }]} live={false}>
        <Button icon="plus" onClick={() => setCreating(true)}>{t.newModel}</Button>
      </Top>
      <div className="lbar">
        <label className="search wide"><Icon name="search" small /><input value={view.q} placeholder={t.searchModels} aria-label={t.searchModels} onChange={(e) => change({ q: e.target.value }, true)} /></label>
      </div>
      <div className="body">
        <div className="hlay one">
          <section className="card">
            {query.error && !query.data && <ErrorBox error={query.error} onRetry={() => void query.refetch()} />}
            {query.isPending && <SkeletonRows rows={8} />}
            {shown.length > 0 && <ModelTable models={shown} />}
            {query.data && shown.length === 0 && (view.q ? <EmptyState title={t.noModelMatches} /> : <Nothing />)}
          </section>
          {query.hasNextPage && <Button onClick={() => void query.fetchNextPage()} disabled={query.isFetchingNextPage}>{t.moreModels}</Button>}
        </div>
      </div>
      {creating && <Ask title={t.newModel} action={t.create} field={{ label: t.modelName, value: "" }} onClose={() => setCreating(false)} onAnswer={create} />}
    </main>
  );
}

function Nothing() {
  return (
    <EmptyState title={t.noModels}>
      <p>{t.noModelsText}</p>
      <div className="code"><pre>{REGISTER}</pre><CopyButton text={REGISTER} /></div>
    </EmptyState>
  );
}
