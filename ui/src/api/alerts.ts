import { get, NATIVE, post } from "./http";

export type Level = "info" | "warning" | "error";

/** What somebody should know of a run; `rule_id` is null where the training itself raised it. Times are Unix milliseconds. */
export interface Alert {
  alert_id: string;
  run_id: string;
  run_name: string;
  experiment_id: string;
  time: number;
  level: Level;
  title: string;
  text: string;
  rule_id: string | null;
  acknowledged_time: number | null;
  acknowledged_by: string;
}

/** The newest alerts, and how many nobody has acknowledged in all. */
export interface Alerts {
  alerts: Alert[];
  open: number;
}

export interface Rule {
  rule_id: string;
  experiment_id: string;
  condition: string;
  level: Level;
}

/** Whose alerts: of a run, of an experiment, or of all. */
export interface AlertScope {
  experiment?: string;
  run?: string;
}

const MOST = "50";

export const listAlerts = ({ experiment, run }: AlertScope, open: boolean, signal?: AbortSignal) =>
  get<Alerts>(`${NATIVE}/alerts`, { experiment_id: run ? undefined : experiment, run_id: run, open: open ? "true" : undefined, max_results: MOST }, signal);

export const acknowledge = (what: { alert_ids?: string[]; experiment_id?: string; run_id?: string }) =>
  post<{ acknowledged: number }>(`${NATIVE}/alerts/acknowledge`, what);

export const listRules = async (experiment: string, signal?: AbortSignal) =>
  (await get<{ rules: Rule[] }>(`${NATIVE}/alerts/rules`, { experiment_id: experiment }, signal)).rules;

export const addRule = (experiment: string, condition: string) =>
  post<{ rule: Rule }>(`${NATIVE}/alerts/rules/create`, { experiment_id: experiment, condition });

export const removeRule = (id: string) => post<unknown>(`${NATIVE}/alerts/rules/delete`, { rule_id: id });
