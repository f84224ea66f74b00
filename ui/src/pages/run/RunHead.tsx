import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { renameRun, restoreRun, type RunDetail } from "../../api/runs";
import { formatDuration, formatMoment } from "../../model/format";
import { durationOf } from "../../model/status";
import { locale, t } from "../../i18n";
import { useRun } from "../../parts/queries";
import { StatusPill } from "../../parts/Status";
import { Button } from "../../ui/Button";
import { Ask } from "../../ui/Dialog";
import { useNow } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/router";
import { complain, copyText } from "../../ui/toast";
import { slotColour } from "../../ui/Swatch";
import { runPath } from "../../url/routes";
import { RunTroubles } from "./RunTroubles";
import { TagEditor } from "./TagEditor";

const MOST_CHIPS = 4;
export const ownTags = (tags: Record<string, string>) => Object.entries(tags).filter(([key]) => !key.startsWith("mlflow.") && !key.startsWith("logbuch."));

/** Name, status, id, duration, start, who, tags. */
export function RunHead({ run }: { run: RunDetail }) {
  const { info, tags } = run;
  const now = useNow(1000);
  const client = useQueryClient();
  const [asking, setAsking] = useState<"name" | "tags" | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: ["run", info.run_id] });
  const own = ownTags(tags);
  const parent = tags["mlflow.parentRunId"];
  const user = info.user || tags["mlflow.user"];
  return (
    <div className="head">
      {info.lifecycle_stage === "deleted" && <p className="banner warn"><Icon name="trash" small />{t.deletedBanner}<Button className="tiny" icon="undo" onClick={() => void restoreRun(info.run_id).then(() => client.invalidateQueries(), complain)}>{t.restore}</Button></p>}
      <div className="head-name">
        <span className="sw" style={{ background: slotColour(0) }} />
        <h2 className="ell" title={info.name} onDoubleClick={() => setAsking("name")}>{info.name}</h2>
        <StatusPill status={info.status} />
        <button type="button" className="copy" aria-label={t.renameRun} title={t.renameRun} onClick={() => setAsking("name")}><Icon name="pencil" small /></button>
      </div>
      <div className="meta">
        <button type="button" className="mono idcopy" title={t.copy} onClick={() => void copyText(info.run_id)}>{info.run_id}</button>
        <span><b className="num">{formatDuration(durationOf(info, now))}</b></span>
        <span>{t.startedAt} <b>{formatMoment(info.start_time, now, locale)}</b></span>
        {user && <span>{t.by} <b>{user}</b></span>}
        {tags["logbuch.host"] && <span>{t.onHost} <b>{tags["logbuch.host"]}</b></span>}
        {parent && <ParentLink experimentId={info.experiment_id} runId={parent} />}
        <span className="row tagrow">
          {own.slice(0, MOST_CHIPS).map(([key, value]) => <span key={key} className="chip small" title={`${key}: ${value}`}>{key} <b>{value}</b></span>)}
          {own.length > MOST_CHIPS && <span className="muted num">{t.nMore(own.length - MOST_CHIPS)}</span>}
          <button type="button" className="copy" onClick={() => setAsking("tags")}><Icon name="tag" small />{t.editTags}</button>
        </span>
      </div>
      <RunTroubles run={run} />
      {asking === "name" && <Ask title={t.renameRun} action={t.save} field={{ label: t.runName, value: info.name }} onAnswer={(name) => renameRun(info.run_id, name).then(refresh)} onClose={() => setAsking(null)} />}
      {asking === "tags" && <TagEditor runId={info.run_id} tags={own} onChanged={() => void refresh()} onClose={() => setAsking(null)} />}
    </div>
  );
}

/** The parent by its name; by its id until that is known. */
function ParentLink({ experimentId, runId }: { experimentId: string; runId: string }) {
  const parent = useRun(runId);
  return <span>{t.parent} <Link to={runPath(parent.data?.info.experiment_id ?? experimentId, runId)} className={parent.data ? "" : "mono"}>{parent.data?.info.name ?? runId.slice(0, 8)}</Link></span>;
}
