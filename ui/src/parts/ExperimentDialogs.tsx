import { createExperiment, deleteExperiment, renameExperiment, restoreExperiment, type Experiment } from "../api/experiments";
import { t } from "../i18n";
import { Ask } from "../ui/Dialog";
import { navigate } from "../ui/router";
import { experimentPath } from "../url/routes";

export type ExperimentAction = "rename" | "delete" | "restore";

interface Props {
  action: ExperimentAction;
  experiment: Experiment;
  onClose: () => void;
  onDone: () => void;
}

/** Asks for the new name, or whether to delete or restore. */
export function ExperimentDialog({ action, experiment, onClose, onDone }: Props) {
  const { experiment_id: id, name, runs } = experiment;
  if (action === "rename")
    return <Ask title={t.rename} action={t.rename} field={{ label: t.experimentName, value: name }} onClose={onClose} onAnswer={(next) => renameExperiment(id, next).then(onDone)} />;
  if (action === "restore")
    return <Ask title={`${t.restore}: ${name}`} action={t.restore} onClose={onClose} onAnswer={() => restoreExperiment(id).then(onDone)} />;
  return <Ask title={t.deleteExperiment(name)} text={t.deleteExperimentText(runs)} action={t.remove} danger onClose={onClose} onAnswer={() => deleteExperiment(id).then(onDone)} />;
}

export function NewExperimentDialog({ folder = "", onClose }: { folder?: string; onClose: () => void }) {
  const create = async (name: string) => {
    const made = await createExperiment(name);
    navigate(experimentPath(made.experiment_id));
  };
  return <Ask title={t.newExperiment} action={t.create} field={{ label: t.experimentName, value: folder ? `${folder}/` : "" }} onClose={onClose} onAnswer={create} />;
}
