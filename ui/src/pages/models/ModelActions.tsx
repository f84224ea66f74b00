import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { deleteModel, describeModel, renameModel, type RegisteredModel } from "../../api/models";
import { t } from "../../i18n";
import { Ask } from "../../ui/Dialog";
import { MenuButton } from "../../ui/Menu";
import { navigate } from "../../ui/router";
import { modelPath } from "../../url/routes";
import { DescriptionDialog } from "./DescriptionDialog";

type Asked = "rename" | "describe" | "delete";

/** What can be done with a model as a whole. */
export function ModelActions({ model, versions }: { model: RegisteredModel; versions: number }) {
  const client = useQueryClient();
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = () => setAsked(null);
  const refresh = () => client.invalidateQueries();
  const rename = async (next: string) => {
    await renameModel(model.name, next);
    navigate(modelPath(next), { replace: true });
  };
  const remove = async () => {
    await deleteModel(model.name);
    navigate("/models", { replace: true });
    await refresh();
  };
  return (
    <>
      <MenuButton icon="more" label={t.actionsFor(model.name)} entries={() => [
        { label: t.rename, icon: "pencil", onSelect: () => setAsked("rename") },
        { label: t.editDescription, icon: "file", onSelect: () => setAsked("describe") },
        "line",
        { label: t.deleteModel, icon: "trash", danger: true, onSelect: () => setAsked("delete") },
      ]} />
      {asked === "rename" && <Ask title={t.rename} action={t.rename} field={{ label: t.modelName, value: model.name }} onClose={close} onAnswer={rename} />}
      {asked === "describe" && <DescriptionDialog value={model.description ?? ""} onClose={close} onSave={(text) => describeModel(model.name, text).then(refresh)} />}
      {asked === "delete" && <Ask title={t.deleteModelTitle(model.name)} text={t.deleteModelText(versions)} action={t.remove} danger onClose={close} onAnswer={remove} />}
    </>
  );
}
