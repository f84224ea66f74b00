import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type FormEvent } from "react";
import { acknowledge, addRule, listAlerts, listRules, removeRule, type Alert, type AlertScope } from "../api/alerts";
import { formatCount, formatMoment } from "../model/format";
import { locale, t } from "../i18n";
import "../styles/alerts.css";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Popover } from "../ui/Popover";
import { Link } from "../ui/router";
import { complain } from "../ui/toast";
import { runPath } from "../url/routes";
import { useRefresh } from "./queries";

/** A condition as it is written in every language. */
const EXAMPLE = "eval/loss is nan";

/** The alerts of a run, an experiment or all, asked again when runs change. */
export function useAlerts(scope: AlertScope, open: boolean) {
  useRefresh(["alerts"], 1000);
  return useQuery({ queryKey: ["alerts", scope, open], queryFn: ({ signal }) => listAlerts(scope, open, signal) });
}

/** Does what changes alerts or rules, and asks for them again; a failure is said. */
function useChange() {
  const client = useQueryClient();
  return async (job: () => Promise<unknown>) => {
    try {
      await job();
    } catch (error) {
      complain(error);
      return false;
    }
    await client.invalidateQueries({ predicate: ({ queryKey }) => ["alerts", "alert-rules"].includes(String(queryKey[0])) });
    return true;
  };
}

function seen({ acknowledged_time: time, acknowledged_by: who }: Alert): string {
  const when = formatMoment(time, Date.now(), locale);
  return who ? t.acknowledgedBy(who, when) : t.acknowledgedAt(when);
}

/** One alert: how grave, what, of which run and when; a button while it is open. */
export function AlertItem({ alert, named, onFollow }: { alert: Alert; named: boolean; onFollow?: () => void }) {
  const change = useChange();
  return (
    <li className={`alert ${alert.level}`} data-testid="alert">
      <span className="lvl"><Icon name={alert.level === "info" ? "bell" : "warn"} small />{t.alertLevels[alert.level]}</span>
      <b>{alert.title}</b>
      {alert.text && <p>{alert.text}</p>}
      <div className="foot">
        {named && <Link to={runPath(alert.experiment_id, alert.run_id)} onClick={onFollow}>{alert.run_name}</Link>}
        <span className="muted num">{formatMoment(alert.time, Date.now(), locale)}</span>
        {alert.acknowledged_time === null
          ? <Button look="ghost" icon="check" onClick={() => void change(() => acknowledge({ alert_ids: [alert.alert_id] }))}>{t.acknowledgeAlert}</Button>
          : <span className="muted">{seen(alert)}</span>}
      </div>
    </li>
  );
}

/** The rules of an experiment, and a field for a new one. */
function Rules({ experiment }: { experiment: string }) {
  const change = useChange();
  const [text, setText] = useState("");
  const rules = useQuery({ queryKey: ["alert-rules", experiment], queryFn: ({ signal }) => listRules(experiment, signal) });
  const add = async (event: FormEvent) => {
    event.preventDefault();
    if (await change(() => addRule(experiment, text))) setText("");
  };
  return (
    <section className="rules">
      <h2>{t.alertRules}</h2>
      {rules.data?.length === 0 && <p className="note">{t.noAlertRules}</p>}
      <ul>
        {rules.data?.map((rule) => (
          <li key={rule.rule_id}><code>{rule.condition}</code><Button look="ghost" icon="trash" aria-label={t.removeAlertRule(rule.condition)} onClick={() => void change(() => removeRule(rule.rule_id))} /></li>
        ))}
      </ul>
      <form onSubmit={(event) => void add(event)}>
        <input className="field" aria-label={t.addAlertRule} placeholder={EXAMPLE} value={text} onChange={(event) => setText(event.target.value)} />
        <Button icon="plus" type="submit" disabled={!text.trim()}>{t.addAlertRule}</Button>
      </form>
      <p className="muted">{t.ruleKinds}</p>
    </section>
  );
}

/** The bell on top: how many alerts are open; pressed, the alerts, and on an experiment's page its rules. */
export function AlertBell({ scope }: { scope: AlertScope }) {
  const anchor = useRef<HTMLButtonElement>(null);
  const [shown, setShown] = useState(false);
  const change = useChange();
  const { data } = useAlerts(scope, true);
  const open = data?.open ?? 0;
  const close = () => setShown(false);
  const all = () => acknowledge(scope.run ? { run_id: scope.run } : scope.experiment ? { experiment_id: scope.experiment } : { alert_ids: data?.alerts.map((one) => one.alert_id) });
  return (
    <>
      <Button ref={anchor} look="ghost" icon="bell" className={`bell${open ? " ringing" : ""}`} aria-label={open ? t.openAlerts(formatCount(open, locale)) : t.alerts} aria-expanded={shown} aria-haspopup="dialog" data-testid="bell" onClick={() => setShown(!shown)}>
        {open > 0 ? <span className="count num">{formatCount(open, locale)}</span> : undefined}
      </Button>
      <Popover anchor={anchor} open={shown} onClose={close} label={t.alerts}>
        <div className="alertpane">
          <header><h2>{t.alerts}</h2>{open > 0 && <Button look="ghost" icon="check" onClick={() => void change(all)}>{t.acknowledgeAll}</Button>}</header>
          {open === 0 && <p className="note">{t.noAlerts}</p>}
          <ul>{data?.alerts.map((alert) => <AlertItem key={alert.alert_id} alert={alert} named={!scope.run} onFollow={close} />)}</ul>
          {scope.experiment && <Rules experiment={scope.experiment} />}
        </div>
      </Popover>
    </>
  );
}

/** All alerts of a run, the seen ones too; nothing where there never was one. */
export function AlertsCard({ runId }: { runId: string }) {
  const { data } = useAlerts({ run: runId }, false);
  if (!data?.alerts.length) return null;
  return (
    <section className="card alerts" data-testid="alerts">
      <header><h2>{t.alerts}</h2>{data.open > 0 && <span className="right"><span className="pill warn">{formatCount(data.open, locale)}</span></span>}</header>
      <ul>{data.alerts.map((alert) => <AlertItem key={alert.alert_id} alert={alert} named={false} />)}</ul>
    </section>
  );
}
