import { Fragment, type ReactNode } from "react";
import type { AlertScope } from "../api/alerts";
import { live } from "../api/live";
import { formatMoment } from "../model/format";
import { locale, t } from "../i18n";
import { useStore } from "../ui/hooks";
import { Link } from "../ui/router";
import { AlertBell } from "./Alerts";

export interface Crumb {
  label: string;
  to?: string;
}

/** The state of the live stream: a dot while something runs, a hollow ring with the time of the last word when it is lost. */
export function LiveState({ running = 0, waiting = false }: { running?: number; waiting?: boolean }) {
  const { state, heard } = useStore(live.state);
  const text = state === "offline"
    ? heard ? t.offlineSince(formatMoment(heard, Date.now(), locale)) : t.offline
    : state === "paused" ? t.paused(formatMoment(heard, Date.now(), locale)) : state === "connecting" ? t.connecting : running ? t.running(running) : waiting ? t.live : t.upToDate;
  const quiet = state === "live" && !running && !waiting;
  return (
    <span className={`live ${state}${quiet ? " quiet" : ""}`} data-testid="live-state" data-state={state} role="status">
      {!quiet && <i />}
      <span>{text}</span>
      {state === "paused" && <button type="button" className="linkish" onClick={() => live.pause(false)}>{t.resume}</button>}
      {state === "offline" && <button type="button" className="linkish" onClick={() => live.reconnect()}>{t.tryNow}</button>}
    </span>
  );
}

const ALL: AlertScope = {};

interface TopProps {
  crumbs: Crumb[];
  running?: number;
  /** False where there is nothing that could change. */
  live?: boolean;
  after?: ReactNode;
  /** Whose alerts the bell tells of; all by default. */
  alerts?: AlertScope;
  children?: ReactNode;
}

/** The bar on top: where we are, whether it is live, and the actions of the page. */
export function Top({ crumbs, running, live: follows = true, after, alerts = ALL, children }: TopProps) {
  return (
    <header className="top">
      <nav className="crumb" aria-label={t.folder}>
        {crumbs.map((crumb, i) => {
          const last = i === crumbs.length - 1;
          return (
            <Fragment key={i}>
              {i > 0 && <span className={`slash${last ? "" : " hide-s"}`} aria-hidden="true">/</span>}
              {last ? <h1>{crumb.label}</h1> : crumb.to ? <Link className={i < crumbs.length - 2 ? "hide-s" : ""} to={crumb.to}>{crumb.label}</Link> : <span className="hide-s">{crumb.label}</span>}
            </Fragment>
          );
        })}
      </nav>
      {after}
      {follows && <LiveState running={running} />}
      <span className="grow" />
      {follows && <AlertBell scope={alerts} />}
      {children}
    </header>
  );
}

/** The folders of an experiment's name as crumbs, then the name itself. */
export function experimentCrumbs(name: string, to?: string): Crumb[] {
  const parts = name.split("/");
  const folders = parts.slice(0, -1).map((label, i) => ({ label, to: `/experiments?folder=${encodeURIComponent(parts.slice(0, i + 1).join("/"))}` }));
  return [{ label: t.experiments, to: "/experiments" }, ...folders, { label: parts[parts.length - 1] || name, to }];
}
