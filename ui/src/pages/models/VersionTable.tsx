import type { ModelVersion } from "../../api/models";
import { locale, t } from "../../i18n";
import { formatAgo } from "../../model/format";
import { useNow } from "../../ui/hooks";
import { StagePill } from "../../parts/StagePill";
import { VersionActions } from "./VersionActions";

interface Props {
  versions: ModelVersion[];
  chosen: string | undefined;
  onChoose: (version: string) => void;
}

/** The versions of a model, the newest first. */
export function VersionTable({ versions, chosen, onChoose }: Props) {
  const now = useNow();
  return (
    <table className="plain versions">
      <thead>
        <tr>
          <th className="l">{t.version1}</th><th className="l">{t.stage}</th><th className="l">{t.aliases}</th><th className="l hide-s">{t.description}</th>
          <th className="hide-s">{t.created}</th><th className="act"><span className="vh">{t.more}</span></th>
        </tr>
      </thead>
      <tbody>
        {versions.map((version) => (
          <tr key={version.version} data-testid="version-row" data-version={version.version} className={version.version === chosen ? "on" : ""}>
            <td className="l"><button type="button" className="linkish num" aria-pressed={version.version === chosen} onClick={() => onChoose(version.version)}>{t.vNumber(version.version)}</button></td>
            <td className="l"><StagePill stage={version.current_stage} /></td>
            <td className="l"><span className="row">{version.aliases?.map((alias) => <span key={alias} className="chip small"><b>@{alias}</b></span>)}</span></td>
            <td className="l hide-s muted" title={version.description}>{version.description}</td>
            <td className="hide-s muted">{formatAgo(version.creation_timestamp, now, locale)}</td>
            <td className="act"><VersionActions version={version} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
