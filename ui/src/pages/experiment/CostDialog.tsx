import { useQuery } from "@tanstack/react-query";
import { costOfExperiment, type Cost } from "../../api/cost";
import { formatCount, formatNumber } from "../../model/format";
import { locale, t } from "../../i18n";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { ErrorBox, SkeletonRows } from "../../ui/States";

type Line = Cost & { runs: number };

interface Figure {
  name: string;
  of: (line: Line) => string;
}

/** What is known: columns of figures that nobody has are left out. */
function figuresOf(all: Line): Figure[] {
  const number = (value: number) => formatNumber(value, locale);
  const figures: (Figure & { known: boolean })[] = [
    { name: t.runsHead, of: (line) => formatCount(line.runs, locale), known: true },
    { name: t.hours, of: (line) => number(line.hours), known: true },
    { name: t.gpuHours, of: (line) => number(line.gpu_hours), known: all.gpu_hours > 0 },
    { name: `${t.energy} (kWh)`, of: (line) => number(line.watt_hours / 1000), known: all.watt_hours > 0 },
    { name: all.currency ? `${t.price} (${all.currency})` : t.price, of: (line) => formatNumber(line.money, locale), known: all.money !== null },
    { name: `${t.co2} (kg)`, of: (line) => formatNumber(line.co2_grams === null ? null : line.co2_grams / 1000, locale), known: all.co2_grams !== null },
  ];
  return figures.filter((figure) => figure.known);
}

/** Hours, GPU hours, energy and money of an experiment, in all and month by month. */
export function CostDialog({ experimentId, name, onClose }: { experimentId: string; name: string; onClose: () => void }) {
  const found = useQuery({ queryKey: ["cost", "experiment", experimentId], queryFn: ({ signal }) => costOfExperiment(experimentId, signal), staleTime: 30_000 });
  return (
    <Dialog title={t.costOf(name)} onClose={onClose} wide>
      {found.error && !found.data && <ErrorBox error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && <div role="status" aria-label={t.computing}><SkeletonRows rows={4} /></div>}
      {found.data && (found.data.cost.hours > 0 ? <CostTable all={found.data.cost} months={found.data.months} /> : <p>{t.noCost}</p>)}
      <div className="dialog-end"><Button onClick={onClose}>{t.close}</Button></div>
    </Dialog>
  );
}

function CostTable({ all, months }: { all: Line; months: (Line & { month: string })[] }) {
  const figures = figuresOf(all);
  const row = (key: string, title: string, line: Line) => <tr key={key}><th scope="row" className="l">{title}</th>{figures.map((figure) => <td key={figure.name} className="num">{figure.of(line)}</td>)}</tr>;
  return (
    <>
      <div className="costpane" tabIndex={0} role="region" aria-label={t.cost}>
        <table className="plain" data-testid="cost-table">
          <thead><tr><th scope="col" className="l">{t.month}</th>{figures.map((figure) => <th key={figure.name} scope="col">{figure.name}</th>)}</tr></thead>
          <tbody>{[...months].reverse().map((line) => row(line.month, line.month, line))}</tbody>
          <tfoot>{row("all", t.allMonths, all)}</tfoot>
        </table>
      </div>
      {all.estimated > 0 && <p className="after sec">{t.costEstimated(`${formatCount(Math.round((all.estimated / all.watt_hours) * 100), locale)} %`)}</p>}
      {all.unknown > 0 && <p className="after sec">{t.costUnknown(all.unknown)}</p>}
      {all.money === null && <p className="after sec">{t.costPrices}</p>}
    </>
  );
}
