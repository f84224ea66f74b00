import type { alertsEn } from "./alertsEn";

export const alertsDe: typeof alertsEn = {
  alerts: "Meldungen", openAlerts: (c) => `Meldungen, ${c} offen`, noAlerts: "Nichts verlangt Aufmerksamkeit",
  acknowledgeAlert: "Gesehen", acknowledgeAll: "Alle gesehen", acknowledgedBy: (who, when) => `Gesehen von ${who}, ${when}`, acknowledgedAt: (when) => `Gesehen ${when}`,
  alertLevels: { info: "Hinweis", warning: "Warnung", error: "Fehler" },
  alertRules: "Regeln", noAlertRules: "Noch keine Regel. Nach Regeln beurteilt der Server die Runs dieses Experiments, sobald sie sich ändern.", addAlertRule: "Regel hinzufügen", removeAlertRule: (rule) => `Regel ${rule} entfernen`,
  ruleKinds: "Etwa: train/loss > 8, gpu < 20 for 15m, no point for 10m, run failed, run lost, run unstable",
};
