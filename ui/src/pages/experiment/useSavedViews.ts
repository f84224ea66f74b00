import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { listViews } from "../../api/views";
import { t } from "../../i18n";
import { navigate, usePlace } from "../../ui/router";
import { complain } from "../../ui/toast";
import { applyState, formatExperiment, isBare, type ExperimentView } from "../../url/experiment";

/** The experiment's saved views. An address that names only one, or nothing where a view is the default, becomes that view. */
export function useSavedViews(experimentId: string, view: ExperimentView) {
  const query = useQuery({ queryKey: ["views", experimentId], queryFn: ({ signal }) => listViews(experimentId, signal), staleTime: 60_000, retry: 1 });
  const { path } = usePlace();
  const views = query.data;
  const bare = isBare(view) && view.view !== "none";
  const wanted = !bare || !views ? undefined : view.view ? views.find((v) => v.view_id === view.view) : views.find((v) => v.is_default);
  const target = wanted && formatExperiment(applyState(wanted.state, wanted.view_id));
  const applies = target !== undefined && target !== formatExperiment(view);
  const gone = bare && views !== undefined && view.view !== "" && !wanted;
  useEffect(() => {
    if (applies && target !== undefined) navigate(path + target, { replace: true });
    else if (gone) {
      complain(new Error(t.viewGone));
      navigate(path, { replace: true });
    }
  }, [applies, gone, target, path]);
  // Until the views are known a bare address may still become another page.
  return { views: views ?? [], ready: !bare || query.isError || (views !== undefined && !applies) };
}
