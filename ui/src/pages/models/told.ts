import type { AuditEntry } from "../../api/models";
import { t } from "../../i18n";
import { stageName } from "../../parts/StagePill";

/** What an entry of the trail tells, as the end of a sentence that begins with who did it. */
export function told({ action, version = "", alias, before, after }: AuditEntry): string {
  switch (action) {
    case "model created": return t.didCreateModel;
    case "model renamed": return t.didRenameModel(before, after);
    case "model deleted": return t.didDeleteModel;
    case "version created": return t.didCreateVersion(version);
    case "version deleted": return t.didDeleteVersion(version);
    case "stage changed": return t.didMove(version, stageName(before), stageName(after));
    case "alias set": return before ? t.didMoveAlias(alias, before, after) : t.didSetAlias(alias, after);
    case "alias deleted": return t.didDeleteAlias(alias, before);
  }
}
