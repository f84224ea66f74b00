/** Words of alerts and their rules. */
export const alertsEn = {
  alerts: "Alerts", openAlerts: (c: string) => `Alerts, ${c} open`, noAlerts: "Nothing wants attention",
  acknowledgeAlert: "Acknowledge", acknowledgeAll: "Acknowledge all", acknowledgedBy: (who: string, when: string) => `Seen by ${who}, ${when}`, acknowledgedAt: (when: string) => `Seen ${when}`,
  alertLevels: { info: "Note", warning: "Warning", error: "Error" },
  alertRules: "Rules", noAlertRules: "No rule yet. The server judges this experiment's runs by rules as they change.", addAlertRule: "Add a rule", removeAlertRule: (rule: string) => `Remove the rule ${rule}`,
  ruleKinds: "Such as: train/loss > 8, gpu < 20 for 15m, no point for 10m, run failed, run lost, run unstable",
};
