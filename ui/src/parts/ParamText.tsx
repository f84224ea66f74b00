import type { ClipboardEvent } from "react";
import { formatParam } from "../model/format";

/** A parameter's value: long fractions are shortened on the screen, whole in the tooltip and when copied. */
export function ParamText({ text, className = "ell" }: { text: string; className?: string }) {
  const shown = formatParam(text);
  const copy = (event: ClipboardEvent) => {
    if (shown === text || getSelection()?.toString().trim() !== shown) return;
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  };
  return <span className={className} title={text} onCopy={copy}>{shown}</span>;
}
