import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { createView, removeView, setDefaultView, updateView, type SavedView } from "../../api/views";
import { t } from "../../i18n";
import { Ask } from "../../ui/Dialog";
import { MenuButton, type MenuEntry } from "../../ui/Menu";
import { navigate, usePlace } from "../../ui/router";
import { complain, copyText, say } from "../../ui/toast";
import { under } from "../../url/base";
import { applyState, formatExperiment, stateOf, type ExperimentView } from "../../url/experiment";
import { experimentPath } from "../../url/routes";

interface Props {
  experimentId: string;
  view: ExperimentView;
  views: SavedView[];
}

/** The saved views of the experiment: choosing, saving, sharing, and the one that it opens with. */
export function ViewMenu({ experimentId, view, views }: Props) {
  const client = useQueryClient();
  const { path } = usePlace();
  const [asking, setAsking] = useState<"save" | "rename" | null>(null);
  const now = views.find((v) => v.view_id === view.view);
  const edited = now !== undefined && stateOf(applyState(now.state, now.view_id)) !== stateOf(view);
  const refresh = () => client.invalidateQueries({ queryKey: ["views", experimentId] });
  const show = (next: ExperimentView) => navigate(path + formatExperiment(next));
  const after = (action: Promise<unknown>, text?: string) => void action.then(() => { if (text) say(text); return refresh(); }).catch(complain);
  const link = (id: string) => location.origin + under(`${experimentPath(experimentId)}?view=${id}`);
  const entries = (): MenuEntry[] => [
    { label: t.standardView, checked: now === undefined, onSelect: () => show(applyState("", views.some((v) => v.is_default) ? "none" : "")) },
    ...views.map((v): MenuEntry => ({ label: v.name, checked: v === now, hint: v.is_default ? "★" : undefined, onSelect: () => show(applyState(v.state, v.view_id)) })),
    "line",
    ...(now && edited
      ? [{ label: t.saveView, icon: "check" as const, onSelect: () => after(updateView(now.view_id, { state: stateOf(view) }), t.viewSaved(now.name)) },
        { label: t.resetView, icon: "undo" as const, onSelect: () => show(applyState(now.state, now.view_id)) }]
      : []),
    { label: t.saveAs, icon: "plus", onSelect: () => setAsking("save") },
    ...(now
      ? [{ label: t.copyViewLink, icon: "share" as const, onSelect: () => void copyText(link(now.view_id)) },
        { label: t.renameView, icon: "pencil" as const, onSelect: () => setAsking("rename") },
        { label: now.is_default ? t.noDefault : t.makeDefault, icon: "home" as const, onSelect: () => after(setDefaultView(experimentId, now.is_default ? null : now.view_id)) },
        "line" as const,
        { label: t.deleteView, icon: "trash" as const, danger: true, onSelect: () => after(removeView(now.view_id).then(() => show({ ...view, view: "" })), t.viewDeleted(now.name)) }]
      : []),
  ];
  const save = async (name: string) => {
    const made = await createView(experimentId, name, stateOf(view));
    await refresh();
    show({ ...view, view: made.view_id });
    say(t.viewSaved(name));
  };
  return (
    <>
      <MenuButton look="ghost" className="viewmenu hide-s" icon="bookmark" id="view-menu" label={t.views} entries={entries} data-testid="view-menu">
        <span className="ell">{now ? t.viewNamed(now.name) : t.views}</span>{edited && <small className="muted">{t.edited}</small>}
      </MenuButton>
      {asking === "save" && <Ask title={t.saveAs} action={t.saveView} field={{ label: t.viewName, value: "" }} onAnswer={save} onClose={() => setAsking(null)} />}
      {asking === "rename" && now && <Ask title={t.renameView} action={t.renameView} field={{ label: t.viewName, value: now.name }} onAnswer={(name) => updateView(now.view_id, { name }).then(refresh)} onClose={() => setAsking(null)} />}
    </>
  );
}
