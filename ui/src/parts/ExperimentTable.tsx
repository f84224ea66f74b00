import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { Experiment } from "../api/experiments";
import { formatAgo, formatCount } from "../model/format";
import { locale, t } from "../i18n";
import { useNow } from "../ui/hooks";
import { Icon } from "../ui/Icon";
import { MenuButton, type MenuEntry } from "../ui/Menu";
import { Link } from "../ui/router";
import { experimentPath } from "../url/routes";
import { ExperimentDialog, type ExperimentAction } from "./ExperimentDialogs";

/** A column beside those that every list of experiments has. */
export interface MoreColumn {
  name: string;
  className: string;
  cell: (experiment: Experiment) => ReactNode;
}

interface Props {
  experiments: Experiment[];
  more?: MoreColumn[];
}

const NONE: MoreColumn[] = [];

/** Experiments with their folder, run counts and last activity. */
export function ExperimentTable({ experiments, more = NONE }: Props) {
  const now = useNow();
  const client = useQueryClient();
  const [asked, setAsked] = useState<{ action: ExperimentAction; experiment: Experiment } | null>(null);
  const entries = (experiment: Experiment): MenuEntry[] => {
    const ask = (action: ExperimentAction) => () => setAsked({ action, experiment });
    return experiment.lifecycle_stage === "deleted"
      ? [{ label: t.restore, icon: "undo", onSelect: ask("restore") }]
      : [{ label: t.rename, icon: "pencil", onSelect: ask("rename") }, "line", { label: t.remove, icon: "trash", danger: true, onSelect: ask("delete") }];
  };
  return (
    <>
      <table className="plain ex">
        <thead><tr><th className="l">{t.name}</th><th className="runs">{t.runsHead}</th><th className="hide-s running">{t.runningHead}</th>{more.map((m) => <th key={m.name} className={m.className}>{m.name}</th>)}<th className="last">{t.lastHead}</th><th className="act"><span className="vh">{t.more}</span></th></tr></thead>
        <tbody>
          {experiments.map((experiment) => {
            const cut = experiment.name.lastIndexOf("/") + 1;
            const [folder, name] = [experiment.name.slice(0, cut), experiment.name.slice(cut)];
            return (
              <tr key={experiment.experiment_id} data-testid="experiment-row" data-experiment-id={experiment.experiment_id}>
                <td className="l">
                  <span className="row">
                    <span className="muted"><Icon name={folder ? "folder" : "flask"} small /></span>
                    <Link className="ell rlink" to={experimentPath(experiment.experiment_id)} title={experiment.name}>{folder && <span className="muted">{folder.replaceAll("/", " / ")}</span>}{name}</Link>
                  </span>
                </td>
                <td>{formatCount(experiment.runs, locale)}</td>
                <td className="hide-s">{experiment.running ? <span className="pill run num">{t.running(experiment.running)}</span> : <span className="muted">–</span>}</td>
                {more.map((m) => <td key={m.name} className={m.className}>{m.cell(experiment)}</td>)}
                <td className="muted">{formatAgo(experiment.last_run_time, now, locale)}</td>
                <td className="act"><MenuButton look="ghost" className="tiny" icon="more" label={t.actionsFor(experiment.name)} entries={() => entries(experiment)} /></td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {asked && <ExperimentDialog {...asked} onClose={() => setAsked(null)} onDone={() => void client.invalidateQueries({ queryKey: ["experiments"] })} />}
    </>
  );
}
