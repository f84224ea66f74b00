import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { deleteAlias, deleteVersion, describeVersion, moveVersion, setAlias, STAGES, type ModelVersion, type Stage } from "../../api/models";
import { t } from "../../i18n";
import { Button } from "../../ui/Button";
import { Ask, Dialog } from "../../ui/Dialog";
import { MenuButton, type MenuEntry } from "../../ui/Menu";
import { complain, copyText } from "../../ui/toast";
import { DescriptionDialog } from "./DescriptionDialog";
import { stageName } from "../../parts/StagePill";

type Asked = { what: "alias" | "describe" | "delete" } | { what: "move"; stage: Stage };

/** What can be done with a version. */
export function VersionActions({ version }: { version: ModelVersion }) {
  const { name, version: number, current_stage: stage } = version;
  const client = useQueryClient();
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = () => setAsked(null);
  const refresh = () => client.invalidateQueries();
  const inUse = stage === "Staging" || stage === "Production";
  const entries = (): MenuEntry[] => [
    ...STAGES.filter((one) => one !== stage).map((one): MenuEntry => ({ label: t.moveStage(stageName(one)), icon: "right", onSelect: () => setAsked({ what: "move", stage: one }) })),
    "line",
    { label: t.setAlias, icon: "tag", onSelect: () => setAsked({ what: "alias" }) },
    ...(version.aliases ?? []).map((alias): MenuEntry => ({ label: t.removeAlias(alias), icon: "x", onSelect: () => void deleteAlias(name, alias).then(refresh, complain) })),
    { label: t.editDescription, icon: "file", onSelect: () => setAsked({ what: "describe" }) },
    { label: t.copyAddress, icon: "copy", onSelect: () => void copyText(`models:/${name}/${number}`, t.addressCopied) },
    "line",
    { label: t.deleteVersion, icon: "trash", danger: true, ...(inUse ? { hint: t.deleteInUse } : { onSelect: () => setAsked({ what: "delete" }) }) },
  ];
  return (
    <>
      <MenuButton look="ghost" className="tiny" icon="more" label={t.actionsFor(t.vNumber(number))} entries={entries} />
      {asked?.what === "move" && <MoveDialog version={version} stage={asked.stage} onClose={close} onDone={refresh} />}
      {asked?.what === "alias" && <Ask title={t.setAlias.replace("…", "")} action={t.save} field={{ label: t.aliasName, value: "" }} onClose={close} onAnswer={(alias) => setAlias(name, number, alias).then(refresh)} />}
      {asked?.what === "describe" && <DescriptionDialog value={version.description} onClose={close} onSave={(text) => describeVersion(name, number, text).then(refresh)} />}
      {asked?.what === "delete" && <Ask title={t.deleteVersionTitle(number)} text={t.deleteVersionText} action={t.remove} danger onClose={close} onAnswer={() => deleteVersion(name, number).then(refresh)} />}
    </>
  );
}

interface MoveProps {
  version: ModelVersion;
  stage: Stage;
  onClose: () => void;
  onDone: () => Promise<unknown>;
}

/** Asks whether to move, and what becomes of the versions that are there. */
function MoveDialog({ version, stage, onClose, onDone }: MoveProps) {
  const active = stage === "Staging" || stage === "Production";
  const [archive, setArchive] = useState(active);
  const move = (event: FormEvent) => {
    event.preventDefault();
    moveVersion(version.name, version.version, stage, active && archive).then(onDone).then(onClose, complain);
  };
  return (
    <Dialog title={t.moveStageTitle(version.version, stageName(stage))} onClose={onClose}>
      <form onSubmit={move}>
        {active && <label className="mcheck"><input type="checkbox" checked={archive} onChange={(e) => setArchive(e.target.checked)} /><span>{t.archiveOthers(stageName(stage))}</span></label>}
        <div className="dialog-end">
          <Button look="ghost" onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" look="primary" autoFocus>{t.moveStage(stageName(stage))}</Button>
        </div>
      </form>
    </Dialog>
  );
}
