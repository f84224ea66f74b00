import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Experiment } from "../api/experiments";
import { formatAgo, formatCount } from "../model/format";
import { locale, t } from "../i18n";
import { useNow } from "../ui/hooks";
import { Icon } from "../ui/Icon";
import { MenuButton, type MenuEntry } from "../ui/Menu";
import { Link } from "../ui/router";
import { experimentPath } from "../url/routes";
import { ExperimentDialog, type ExperimentAction } from "./ExperimentDialogs";

/** Experiments with their folder, run counts and last activity. */
export function ExperimentTable({ experiments }: { experiments: Experiment[] }) {
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
        <thead><tr><th className="l">{t.name}</th><th>{t.runsHead}</th><th className="hide-s">{t.runningHead}</th><th>{t.lastHead}</th><th className="act"><span className="vh">{t.more}</span></th></tr></thead>
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
