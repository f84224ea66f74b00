import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fileHref } from "../../api/table";
import type { Experiment } from "../../api/experiments";
import { fileColumn, orderBy, type Column } from "../../model/columns";
import { toFilter } from "../../model/filter";
import { t } from "../../i18n";
import { ExperimentDialog, type ExperimentAction } from "../../parts/ExperimentDialogs";
import { Button } from "../../ui/Button";
import { lazily } from "../../ui/lazily";
import { MenuButton, type MenuEntry } from "../../ui/Menu";
import { navigate } from "../../ui/router";
import { Icon } from "../../ui/Icon";
import { copyText } from "../../ui/toast";
import type { ExperimentView, SortKey } from "../../url/experiment";
import type { MainMetric } from "./useExperiment";

const CostDialog = lazily(async () => (await import("./CostDialog")).CostDialog);

interface Props {
  experimentId: string;
  experiment: Experiment | undefined;
  view: ExperimentView;
  sort: SortKey[];
  /** The columns of the table, for files that hold these alone. */
  shown: Column[];
  main: MainMetric;
  change: (change: Partial<ExperimentView>) => void;
}

/** Actions on the whole experiment. */
export function PageMenu({ experimentId, experiment, view, sort, shown, main, change }: Props) {
  const [action, setAction] = useState<ExperimentAction | "cost" | null>(null);
  const client = useQueryClient();
  const href = (format: "csv" | "parquet", columns: string[] = []) => fileHref(format, experimentId, toFilter(view.q), orderBy(sort, main.lower), view.deleted ? "deleted" : "active", columns);
  const own = () => shown.flatMap((column) => fileColumn(column, main.lower) ?? []);
  const entries = (): MenuEntry[] => [
    { label: t.copyLink, icon: "share", onSelect: () => void copyText(location.href) },
    { label: t.asCsv, icon: "download", href: href("csv") },
    { label: t.asParquet, icon: "download", href: href("parquet") },
    ...(own().length ? [{ label: t.shownAsCsv, icon: "download" as const, href: href("csv", own()) }, { label: t.shownAsParquet, icon: "download" as const, href: href("parquet", own()) }] : []),
    "line",
    { label: t.cost, onSelect: () => setAction("cost") },
    { label: view.deleted ? t.activeRuns : t.archivedRuns, icon: view.deleted ? "eye" : "archive", onSelect: () => change({ deleted: !view.deleted }) },
    "line",
    { label: t.drawBest, icon: "chart", checked: view.draw === null, onSelect: () => change({ draw: null }) },
    { label: t.drawNone, checked: view.draw?.length === 0, onSelect: () => change({ draw: [] }) },
    "line",
    ...(experiment?.lifecycle_stage === "deleted"
      ? [{ label: t.restore, icon: "undo" as const, onSelect: () => setAction("restore") }]
      : [{ label: t.rename, icon: "pencil" as const, onSelect: () => setAction("rename") }, { label: t.remove, icon: "trash" as const, danger: true, onSelect: () => setAction("delete") }]),
  ];
  return (
    <>
      <a className="btn hide-s" href={href("csv")} download data-testid="csv-link"><Icon name="download" small />{t.csv}</a>
      <Button className="hide-s" icon="share" onClick={() => void copyText(location.href)}>{t.copyLink}</Button>
      <MenuButton icon="more" label={t.more} entries={entries} />
      {action === "cost" && <CostDialog experimentId={experimentId} name={experiment?.name ?? ""} onClose={() => setAction(null)} />}
      {action && action !== "cost" && experiment && (
        <ExperimentDialog action={action} experiment={experiment} onClose={() => setAction(null)}
          onDone={() => { void client.invalidateQueries({ queryKey: ["experiments"] }); if (action === "delete") navigate("/experiments"); }} />
      )}
    </>
  );
}
