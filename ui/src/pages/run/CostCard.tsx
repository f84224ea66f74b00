import { useQuery } from "@tanstack/react-query";
import { costOfRun } from "../../api/cost";
import type { RunDetail } from "../../api/runs";
import { formatNumber } from "../../model/format";
import { locale, t } from "../../i18n";

const RUNNING_MS = 30_000;

/** GPU hours, energy, money and CO2 of a run; nothing where none of them is known. */
export function CostCard({ run }: { run: RunDetail }) {
  const running = run.info.status === "RUNNING";
  const cost = useQuery({ queryKey: ["cost", run.info.run_id, run.info.status], queryFn: ({ signal }) => costOfRun(run.info.run_id, signal), refetchInterval: running && RUNNING_MS, staleTime: RUNNING_MS }).data;
  if (!cost || (!cost.gpu_hours && !cost.watt_hours)) return null;
  const number = (value: number) => formatNumber(value, locale);
  const lines: [string, string][] = [];
  if (cost.gpu_hours) lines.push([t.gpuHours, number(cost.gpu_hours)]);
  if (cost.watt_hours) lines.push([t.energy, `${number(cost.watt_hours)} Wh${cost.estimated ? ` (${t.estimated})` : ""}`]);
  if (cost.money !== null) lines.push([t.price, `${number(cost.money)} ${cost.currency}`.trim()]);
  if (cost.co2_grams !== null) lines.push([t.co2, `${number(cost.co2_grams)} g`]);
  return (
    <section className="card" data-testid="cost">
      <header><h2>{t.cost}</h2></header>
      <dl className="kv">{lines.map(([name, value]) => <div key={name}><dt>{name}</dt><dd className="num">{value}</dd></div>)}</dl>
    </section>
  );
}
