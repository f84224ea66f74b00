import type { Stage } from "../api/models";
import { t } from "../i18n";

const LOOKS: Record<Stage, string> = { None: "", Staging: " warn", Production: " ok", Archived: "" };

export function stageName(stage: string): string {
  return { None: t.stageNone, Staging: t.stageStaging, Production: t.stageProduction, Archived: t.stageArchived }[stage] ?? stage;
}

/** Where a version stands; what is in no stage is only said. */
export function StagePill({ stage }: { stage: Stage }) {
  if (stage === "None") return <span className="muted">{stageName(stage)}</span>;
  return <span className={`pill${LOOKS[stage]}`}>{stageName(stage)}</span>;
}
