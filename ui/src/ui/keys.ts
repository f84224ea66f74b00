import { useEffect } from "react";
import { readStored } from "./hooks";
import { useLatest } from "./hooks";

export type KeyMap = Record<string, (event: KeyboardEvent) => void>;
export const KEYS_SETTING = "logbuch.keys";

const SEQUENCE_MS = 900;
let pending: { key: string; at: number } | null = null;

function inField(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return Boolean(element?.closest?.("input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable]"));
}

/** Enter and Space belong to a focused control; letters do not. */
function ownsKey(target: EventTarget | null, key: string): boolean {
  const element = target as HTMLElement | null;
  return (key === "Enter" || key === " ") && Boolean(element?.closest?.("button, a, input, [role=menuitem], [role=tab]"));
}

/** Single keys of a page, such as `{ f: focusFilter, "g h": goHome }`. Off inside fields, menus and dialogs. */
export function useKeys(map: KeyMap): void {
  const latest = useLatest(map);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (inField(event.target) || ownsKey(event.target, event.key) || document.querySelector("dialog[open], .pop")) return;
      if (readStored(KEYS_SETTING) === "off" && event.key.length === 1 && event.key !== " ") return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const before = pending && event.timeStamp - pending.at < SEQUENCE_MS ? pending.key : "";
      const action = latest.current[`${before} ${key}`] ?? (before === "g" && key !== "g" ? undefined : latest.current[key]);
      if (!action) return;
      event.preventDefault();
      action(event);
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [latest]);
}

/** Remembers the first key of a sequence; mounted once, before all key maps act on the next press. */
export function startKeySequences(): void {
  addEventListener("keyup", (event) => {
    if (inField(event.target)) return;
    pending = event.key.toLowerCase() === "g" ? { key: "g", at: event.timeStamp } : null;
  });
}
