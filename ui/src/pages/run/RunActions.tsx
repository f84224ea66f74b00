import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { deleteRun, restoreRun, type RunDetail } from "../../api/runs";
import { t } from "../../i18n";
import { useCommands } from "../../parts/commands";
import { Button } from "../../ui/Button";
import { Ask } from "../../ui/Dialog";
import { useKeys } from "../../ui/keys";
import { MenuButton } from "../../ui/Menu";
import { printPage } from "../../ui/printing";
import { complain, copyText } from "../../ui/toast";
import { useReproduction } from "./useReproduction";

export function RunActions({ run }: { run: RunDetail }) {
  const [asking, setAsking] = useState(false);
  const client = useQueryClient();
  const id = run.info.run_id;
  const deleted = run.info.lifecycle_stage === "deleted";
  const { command, lines } = useReproduction(run);
  const text = command ?? lines.join("\n");
  const copy = () => void copyText(text, t.commandCopied);
  useKeys(text ? { y: copy } : {});
  useCommands(() => (text ? [{ label: t.copyCommand, icon: "copy", key: "Y", run: copy }] : []));
  const refresh = () => client.invalidateQueries();
  return (
    <>
      {text && <Button look="primary" icon="copy" onClick={copy} title={`${t.copyCommand} (Y)`}>{t.copyCommand}</Button>}
      <MenuButton icon="more" label={t.more} entries={() => [
        { label: t.copyLink, icon: "share", onSelect: () => void copyText(location.href) },
        { label: t.printPage, icon: "file", onSelect: () => void printPage() },
        "line",
        deleted
          ? { label: t.restore, icon: "undo", onSelect: () => void restoreRun(id).then(refresh, complain) }
          : { label: t.deleteRun, icon: "trash", danger: true, onSelect: () => setAsking(true) },
      ]} />
      {asking && <Ask title={t.deleteRuns(1)} text={t.deleteRunsText} action={t.remove} danger onAnswer={() => deleteRun(id).then(refresh)} onClose={() => setAsking(false)} />}
    </>
  );
}
