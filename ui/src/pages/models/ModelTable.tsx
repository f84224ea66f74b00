import type { RegisteredModel, Stage } from "../../api/models";
import { locale, t } from "../../i18n";
import { formatAgo } from "../../model/format";
import { useNow } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/router";
import { modelPath } from "../../url/routes";
import "../../styles/models.css";

const newestOf = (model: RegisteredModel) => model.latest_versions?.reduce((most, { version }) => Math.max(most, Number(version)), 0) ?? 0;
const inStage = (model: RegisteredModel, stage: Stage) => model.latest_versions?.find((one) => one.current_stage === stage)?.version;

/** Models with the versions that are in use. */
export function ModelTable({ models }: { models: RegisteredModel[] }) {
  const now = useNow();
  return (
    <table className="plain models">
      <thead>
        <tr>
          <th className="l">{t.name}</th><th>{t.newest}</th><th>{t.stageProduction}</th><th className="hide-s">{t.stageStaging}</th>
          <th className="l hide-s">{t.aliases}</th><th>{t.changed}</th>
        </tr>
      </thead>
      <tbody>
        {models.map((model) => (
          <tr key={model.name} data-testid="model-row" data-model={model.name}>
            <td className="l">
              <span className="row"><span className="muted"><Icon name="box" small /></span>
                <Link className="ell rlink" to={modelPath(model.name)} title={model.description || model.name}>{model.name}</Link></span>
            </td>
            <td><VersionLink model={model} version={newestOf(model) ? String(newestOf(model)) : undefined} /></td>
            <td><VersionLink model={model} version={inStage(model, "Production")} /></td>
            <td className="hide-s"><VersionLink model={model} version={inStage(model, "Staging")} /></td>
            <td className="l hide-s"><span className="row">{model.aliases?.map(({ alias, version }) => <Alias key={alias} alias={alias} version={version} />)}</span></td>
            <td className="muted">{formatAgo(model.last_updated_timestamp, now, locale)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function VersionLink({ model, version }: { model: RegisteredModel; version: string | undefined }) {
  if (!version) return <span className="muted">–</span>;
  return <Link className="rlink num" to={modelPath(model.name, version)} aria-label={t.vNumber(version)}>{version}</Link>;
}

function Alias({ alias, version }: { alias: string; version: string }) {
  return <span className="chip small" title={t.vNumber(version)}><b>@{alias}</b><span className="muted num">{version}</span></span>;
}
