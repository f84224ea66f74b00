import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Component, lazy, Suspense, useEffect, type ReactNode } from "react";
import { ApiError } from "./api/http";
import { hotRun } from "./charts/hot";
import { live } from "./api/live";
import { language, t } from "./i18n";
import { Frame } from "./parts/Frame";
import { Top } from "./parts/Top";
import { useStore } from "./ui/hooks";
import { Link, usePlace } from "./ui/router";
import { EmptyState, ErrorBox, SkeletonRows } from "./ui/States";
import { parseRoute, type Route } from "./url/routes";

const HomePage = lazy(() => import("./pages/home/HomePage"));
const ExperimentsPage = lazy(() => import("./pages/experiments/ExperimentsPage"));
const ExperimentPage = lazy(() => import("./pages/experiment/ExperimentPage"));
const RunPage = lazy(() => import("./pages/run/RunPage"));
const ModelsPage = lazy(() => import("./pages/models/ModelsPage"));
const ModelPage = lazy(() => import("./pages/models/ModelPage"));
const SettingsPage = lazy(() => import("./pages/settings/SettingsPage"));
const ComparePage = lazy(() => import("./pages/compare/ComparePage"));

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000, refetchOnWindowFocus: false,
      // Wrong questions are not asked again; a server that is away is asked twice more.
      retry: (count, error) => !(error instanceof ApiError && error.status >= 400 && error.status < 500) && count < 2,
    },
  },
});

class Guard extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override render() {
    if (!this.state.error) return this.props.children;
    return <main id="main" className="page"><ErrorBox error={this.state.error} onRetry={() => this.setState({ error: null })} /></main>;
  }
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case "home":
      return <HomePage />;
    case "experiments":
      return <ExperimentsPage />;
    case "experiment":
      return <ExperimentPage key={route.experimentId} experimentId={route.experimentId} />;
    case "run":
      return <RunPage key={route.runId} experimentId={route.experimentId} runId={route.runId} tab={route.tab} />;
    case "compare":
      return <ComparePage />;
    case "models":
      return <ModelsPage />;
    case "model":
      return <ModelPage key={route.name} name={route.name} />;
    case "settings":
      return <SettingsPage />;
    case "missing":
      return <main id="main" className="page"><Top crumbs={[{ label: "Logbuch" }]} live={false} /><div className="body"><EmptyState title={t.notFound}><Link to="/" className="btn">{t.toHome}</Link></EmptyState></div></main>;
  }
}

function scopeOf(route: Route) {
  if (route.page === "experiment") return { experimentId: route.experimentId };
  if (route.page === "run") return { runId: route.runId };
  return {};
}

export function App() {
  const spoken = useStore(language);
  const { path } = usePlace();
  const route = parseRoute(path);
  const { experimentId, runId } = { experimentId: undefined, runId: undefined, ...scopeOf(route) };
  useEffect(() => live.setScope({ experimentId, runId }), [experimentId, runId]);
  useEffect(() => hotRun.set(null), [path]);
  useEffect(() => live.onComeback(() => void client.invalidateQueries()), []);
  return (
    <QueryClientProvider client={client}>
      <Frame key={spoken} page={route.page}>
        <Guard key={path}>
          <Suspense fallback={<main id="main" className="page"><SkeletonRows rows={12} /></main>}>
            <Page route={route} />
          </Suspense>
        </Guard>
      </Frame>
    </QueryClientProvider>
  );
}
