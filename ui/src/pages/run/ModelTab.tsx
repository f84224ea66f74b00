import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { listModelFiles, modelFileHref, modelsOfRun, readModelText, type ModelVersion, type RunModel } from "../../api/models";
import type { RunDetail } from "../../api/runs";
import { locale, t } from "../../i18n";
import { formatBytes, formatCount, formatMoment } from "../../model/format";
import { folderModels, readModelFile, type Field, type FolderModel, type Signature } from "../../model/mlmodel";
import { useRefresh } from "../../parts/queries";
import { CopyButton } from "../../ui/CopyButton";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/router";
import { EmptyState, ErrorBox, SkeletonRows } from "../../ui/States";
import { runPath } from "../../url/routes";
import { RegisteredLine, stateOf } from "./ModelsCard";

const FILE = "MLmodel";
const HISTORY = "mlflow.log-model.history";
const SNIPPET = 'logbuch.pytorch.log_model(model, name="model", registered_model_name="my-model")';

/** The models of a run: what they take and give, where they are registered, their files, and how they are served. */
export default function ModelTab({ run }: { run: RunDetail }) {
  const id = run.info.run_id;
  const found = useQuery({ queryKey: ["run-models", id], queryFn: ({ signal }) => modelsOfRun(id, signal) });
  useRefresh(["run-models"], 5000);
  if (found.error) return <ErrorBox error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <SkeletonRows rows={8} />;
  const { made, made_total, used, versions } = found.data;
  const folders = folderModels(run.tags[HISTORY]);
  if (!made.length && !used.length && !folders.length && !versions.length)
    return <EmptyState title={t.noModelsMade}><p>{t.noModelsMadeText}</p><div className="cmd"><code>{SNIPPET}</code><CopyButton text={SNIPPET} /></div></EmptyState>;
  const named = new Set(made.flatMap(({ info }) => info.registrations?.map((r) => `${r.name}/${r.version}`) ?? []));
  const loose = versions.filter((v) => !named.has(`${v.name}/${v.version}`));
  return (
    <div className="rlay models1">
      {made.map((one) => <Made key={one.info.model_id} made={one} versions={versions} />)}
      {folders.map((one) => <InFolder key={one.path} run={run} model={one} versions={loose.filter((v) => v.source.endsWith(`/${one.path}`))} />)}
      {loose.length > 0 && !folders.length && <section className="card"><header><h2>{t.versionsHead}</h2></header><div className="list">{loose.map((v) => <RegisteredLine key={`${v.name}/${v.version}`} name={v.name} number={v.version} version={v} />)}</div></section>}
      {made_total > made.length && <p className="note">{t.andMore(made_total - made.length)}</p>}
      {used.length > 0 && <section className="card"><header><h2>{t.modelsUsed}</h2></header><div className="list">{used.map(({ info }) => <p key={info.model_id} className="li"><span className="muted"><Icon name="box" small /></span><span className="ell grow">{info.name || info.model_id}</span><code className="muted ell">{info.model_id}</code></p>)}</div></section>}
    </div>
  );
}

/** A logged model, which has an address and files of its own. */
function Made({ made: { info, step }, versions }: { made: RunModel; versions: readonly ModelVersion[] }) {
  const id = info.model_id;
  const state = stateOf(info.status);
  const files = useQuery({ queryKey: ["model-files", id, info.status], queryFn: ({ signal }) => listModelFiles(id, signal) });
  const known = files.data?.some((file) => file.path === FILE) ?? false;
  const text = useQuery({ queryKey: ["model-file", id], queryFn: ({ signal }) => readModelText(id, FILE, signal), enabled: known });
  const file = text.data === undefined ? null : readModelFile(text.data);
  return (
    <ModelCard name={info.name || id} state={state && <span className="warn" title={info.status_message}>{state}</span>} address={`models:/${id}`} served={!state} flavors={file?.flavors ?? []} signature={file?.signature ?? null} waiting={files.isPending || (known && text.isPending)}
      about={<>
        {step !== undefined && <Pair label={t.xStep}>{formatCount(step, locale)}</Pair>}
        {info.model_type && <Pair label={t.dtype}>{info.model_type}</Pair>}
        {info.creation_timestamp_ms !== undefined && <Pair label={t.created}>{formatMoment(info.creation_timestamp_ms, Date.now(), locale)}</Pair>}
      </>}>
      {info.registrations?.map((r) => <RegisteredLine key={`${r.name}/${r.version}`} name={r.name} number={r.version} version={versions.find((v) => v.name === r.name && v.version === r.version)} />)}
      {files.data?.map((one) => (
        <div key={one.path} className="li">
          <span className="muted"><Icon name={one.is_dir ? "folder" : "file"} small /></span><span className="ell grow">{one.path}</span>
          {!one.is_dir && <span className="muted num">{formatBytes(one.file_size, locale)}</span>}
          {!one.is_dir && <a className="btn ghost tiny icon" href={modelFileHref(id, one.path)} download aria-label={`${t.download}: ${one.path}`} title={t.download}><Icon name="download" small /></a>}
        </div>
      ))}
    </ModelCard>
  );
}

/** A model among the run's files. */
function InFolder({ run, model, versions }: { run: RunDetail; model: FolderModel; versions: readonly ModelVersion[] }) {
  const { run_id, experiment_id } = run.info;
  const to = `${runPath(experiment_id, run_id, "artifacts")}?path=${encodeURIComponent(`${model.path}/${FILE}`)}`;
  return (
    <ModelCard name={model.path} address={`runs:/${run_id}/${model.path}`} served flavors={model.flavors} signature={model.signature} waiting={false} about={null}>
      {versions.map((v) => <RegisteredLine key={`${v.name}/${v.version}`} name={v.name} number={v.version} version={v} />)}
      <Link className="li" to={to}><span className="muted"><Icon name="folder" small /></span><span className="ell grow">{model.path}</span></Link>
    </ModelCard>
  );
}

interface CardProps {
  name: string;
  state?: ReactNode;
  address: string;
  /** Whether it can be served already. */
  served: boolean;
  flavors: string[];
  signature: Signature | null;
  waiting: boolean;
  about: ReactNode;
  children: ReactNode;
}

function ModelCard({ name, state, address, served, flavors, signature, waiting, about, children }: CardProps) {
  const serve = `logbuch models serve -m ${address}`;
  return (
    <section className="card" data-testid="model-card" aria-label={name}>
      <header><h2 className="ell" title={name}>{name}</h2>{state}<span className="right row">{flavors.map((flavor) => <span key={flavor} className="chip small">{flavor}</span>)}</span></header>
      {served && <div className="padded"><div className="cmd"><code title={serve}>{serve}</code><CopyButton text={serve} label={`${t.copy}: ${t.serveIt}`} /></div></div>}
      <dl className="kv mkv">{about}<Pair label={t.address1}><code className="ell" title={address}>{address}</code><CopyButton text={address} label={t.copyAddress} /></Pair></dl>
      {waiting ? <SkeletonRows rows={2} /> : signature ? <SignatureTable signature={signature} /> : <p className="note">{t.noSignature}</p>}
      <div className="list">{children}</div>
    </section>
  );
}

function SignatureTable({ signature: { inputs, outputs, params } }: { signature: Signature }) {
  const parts: [string, Field[] | null][] = [[t.modelInputs, inputs], [t.modelOutputs, outputs], [t.parameters, params]];
  return (
    <div className="csv sig" tabIndex={0} role="region" aria-label={t.signature}>
      <table className="plain">
        <thead><tr><th className="l">{t.signature}</th><th className="l">{t.name}</th><th className="l">{t.dtype}</th></tr></thead>
        <tbody>
          {parts.flatMap(([label, fields]) => (fields ?? []).map((field, i) => (
            <tr key={`${label}${i}`} data-testid="signature-row"><td className="l muted">{i === 0 ? label : ""}</td><td className="l">{field.name || "–"}</td><td className="l"><code>{field.type}</code>{field.optional && <span className="muted"> {t.optional}</span>}</td></tr>
          )))}
        </tbody>
      </table>
    </div>
  );
}

function Pair({ label, children }: { label: string; children: ReactNode }) {
  return <div><dt>{label}</dt><dd className="row">{children}</dd></div>;
}
