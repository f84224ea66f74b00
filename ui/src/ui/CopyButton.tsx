import { t } from "../i18n";
import { Icon } from "./Icon";
import { copyText } from "./toast";

export function CopyButton({ text, label = t.copy }: { text: string; label?: string }) {
  return (
    <button type="button" className="copy" onClick={() => void copyText(text)} aria-label={label} title={label}>
      <Icon name="copy" small />
      <span>{t.copy}</span>
    </button>
  );
}
