import { useQuery } from "@tanstack/react-query";
import { getBest } from "../../api/best";
import { formatNumber } from "../../model/format";
import { locale, t } from "../../i18n";
import { Link } from "../../ui/router";
import { runPath } from "../../url/routes";

/** The best value of an experiment and its metric; a dash where there is none to tell. */
export function BestCell({ experimentId, runs }: { experimentId: string; runs: number }) {
  const { data: best } = useQuery({ queryKey: ["best", experimentId], queryFn: ({ signal }) => getBest(experimentId, signal), enabled: runs > 0 });
  const run = best?.runIds[0];
  if (!best || run === undefined) return <span className="muted">–</span>;
  return <><span className="muted">{best.metric} </span><Link className="rlink num" to={runPath(experimentId, run)} title={`${t.bestRun}: ${best.names.join(", ")}`}>{formatNumber(best.value, locale)}</Link></>;
}
