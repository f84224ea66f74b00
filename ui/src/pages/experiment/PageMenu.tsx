import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fileHref } from "../../api/table";
import type { Experiment } from "../../api/experiments";
import { orderBy } from "../../model/columns";
import { toFilter } from "../../model/filter";
import { t } from "../../i18n";
import { ExperimentDialog, type ExperimentAction } from "../../parts/ExperimentDialogs";
import { Button } from "../../ui/Button";
import { MenuButton, type MenuEntry } from "../../ui/Menu";
import { navigate } from "../../ui/router";
import { Icon } from "../../ui/Icon";
import { copyText } from "../../ui/toast";
import type { ExperimentView, SortKey } from "../../url/experiment";

interface Props {
  experimentId: string;
  experiment: Experiment | undefined;
  view: ExperimentView;
  sort: SortKey[];
  change: (change: Partial<ExperimentView>) => void;
}

/** Actions on the whole experiment. */
export function PageMenu({ experimentId, experiment, view, sort, change }: Props) {
  const [action, setAction] = useState<ExperimentAction | null>(null);
  const client = useQueryClient();
  const href = (format: "csv" | "parquet") => fileHref(format, experimentId, toFilter(view.q), orderBy(sort), view.deleted ? "deleted" : "active");
  const entries = (): MenuEntry[] => [
    { label: t.copyLink, icon: "share", onSelect: () => void copyText(location.href) },
    { label: t.asCsv, icon: "download", href: href("csv") },
    { label: t.asParquet, icon: "download", href: href("parquet") },
    "line",
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
      {action && experiment && (
        <ExperimentDialog action={action} experiment={experiment} onClose={() => setAction(null)}
          onDone={() => { void client.invalidateQueries({ queryKey: ["experiments"] }); if (action === "delete") navigate("/experiments"); }} />
      )}
    </>
  );
}
