import { useQuery } from "@tanstack/react-query";
import { modelsOfRun, type ModelVersion, type RunModel } from "../../api/models";
import { locale, t } from "../../i18n";
import { formatCount } from "../../model/format";
import { useRefresh } from "../../parts/queries";
import { StagePill } from "../../parts/StagePill";
import { CopyButton } from "../../ui/CopyButton";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/router";
import { modelPath } from "../../url/routes";

const SHOWN = 6;
/** A word for a model whose files are not whole; undefined for one that is ready. */
export const stateOf = (status: string): string | undefined => STATES[status]?.();

const STATES: Record<string, () => string> = { LOGGED_MODEL_PENDING: () => t.modelPending, LOGGED_MODEL_UPLOAD_FAILED: () => t.modelFailed };

const serveCommand = (id: string) => `logbuch models serve -m models:/${id}`;

/** The models that a run logged and used, and the registered versions made of its files; nothing when there are none. */
export function ModelsCard({ runId }: { runId: string }) {
  const found = useQuery({ queryKey: ["run-models", runId], queryFn: ({ signal }) => modelsOfRun(runId, signal) });
  useRefresh(["run-models"], 5000);
  const data = found.data;
  if (!data || data.made_total + data.used_total + data.versions_total === 0) return null;
  const version = new Map(data.versions.map((v) => [`${v.name}/${v.version}`, v]));
  const named = new Set(data.made.flatMap((m) => m.info.registrations?.map((r) => `${r.name}/${r.version}`) ?? []));
  const loose = data.versions.filter((v) => !named.has(`${v.name}/${v.version}`));
  return (
    <section className="card runmodels" data-testid="models-card">
      <header><h2>{t.modelsMade}</h2><span className="muted num">{data.made_total || ""}</span></header>
      <div className="list">
        {data.made.slice(0, SHOWN).map((made) => <Made key={made.info.model_id} made={made} version={version} />)}
        {data.made_total > SHOWN && <p className="li muted">{t.andMore(data.made_total - SHOWN)}</p>}
        {loose.slice(0, SHOWN).map((v) => <RegisteredLine key={`${v.name}/${v.version}`} name={v.name} number={v.version} version={v} alone />)}
        {loose.length > SHOWN && <p className="li muted">{t.andMore(loose.length - SHOWN)}</p>}
      </div>
      {data.used_total > 0 && (
        <>
          <h3 className="sub">{t.modelsUsed} <span className="muted num">{data.used_total}</span></h3>
          <div className="list">{data.used.slice(0, SHOWN).map((used) => <p key={used.info.model_id} className="li"><span className="muted"><Icon name="box" small /></span><span className="ell grow" title={used.info.model_id}>{used.info.name || used.info.model_id}</span></p>)}</div>
        </>
      )}
    </section>
  );
}

function Made({ made: { info, step }, version }: { made: RunModel; version: ReadonlyMap<string, ModelVersion> }) {
  const state = stateOf(info.status);
  return (
    <>
      <div className="li">
        <span className="muted"><Icon name="box" small /></span>
        <span className="ell grow" title={info.model_id}>{info.name || info.model_id}</span>
        {step !== undefined && <span className="muted num">{t.step(formatCount(step, locale))}</span>}
        {state ? <span className="warn" title={info.status_message}>{state}</span> : <CopyButton text={serveCommand(info.model_id)} label={`${t.copy}: ${t.serveIt}`} />}
      </div>
      {info.registrations?.map((r) => <RegisteredLine key={`${r.name}/${r.version}`} name={r.name} number={r.version} version={version.get(`${r.name}/${r.version}`)} />)}
    </>
  );
}

/** A version of a registered model: its link, aliases and stage; below the model that it is of, or alone. */
export function RegisteredLine({ name, number, version, alone = false }: { name: string; number: string; version: ModelVersion | undefined; alone?: boolean }) {
  return (
    <div className={alone ? "li" : "li version"}>
      {alone && <span className="muted"><Icon name="box" small /></span>}
      <Link className="ell grow rlink" to={modelPath(name, number)} title={name}>{name} <span className="muted num">{t.registeredAs(number)}</span></Link>
      {version?.aliases?.map((alias) => <span key={alias} className="chip small"><b>@{alias}</b></span>)}
      {version && version.current_stage !== "None" && <StagePill stage={version.current_stage} />}
    </div>
  );
}
