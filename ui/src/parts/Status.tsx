import type { RunStatus } from "../api/runs";
import { statusLook } from "../model/status";
import { t } from "../i18n";
import { Glyph } from "../ui/Glyph";

export const statusWord = (status: RunStatus) => t[status] ?? status;

export function StatusGlyph({ status }: { status: RunStatus }) {
  return <Glyph name={statusLook(status).glyph} label={statusWord(status)} />;
}

export function StatusPill({ status }: { status: RunStatus }) {
  const { glyph, tone } = statusLook(status);
  return <span className={`pill ${tone}`} data-testid="run-status" data-status={status}><Glyph name={glyph} />{statusWord(status)}</span>;
}
