import "../styles/palette.css";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { keyNames, t } from "../i18n";
import { Icon } from "../ui/Icon";
import { usePlace } from "../ui/router";
import { parseRoute } from "../url/routes";
import { StatusGlyph } from "./Status";
import { usePaletteItems, type Item } from "./usePaletteItems";

/** A name with its found letters marked. */
function Marked({ name, at }: { name: string; at: number[] }) {
  if (!at.length) return <>{name}</>;
  const found = new Set(at);
  const parts: { text: string; on: boolean }[] = [];
  for (let i = 0; i < name.length; i++) {
    const on = found.has(i);
    const last = parts[parts.length - 1];
    if (last && last.on === on) last.text += name[i];
    else parts.push({ text: name[i]!, on });
  }
  return <>{parts.map((part, i) => (part.on ? <mark key={i}>{part.text}</mark> : part.text))}</>;
}

function Line({ item, on, onPick, onPoint }: { item: Item; on: boolean; onPick: () => void; onPoint: () => void }) {
  return (
    <div id={`palette-${item.id}`} role="option" aria-selected={on} className={`pl-i${on ? " on" : ""}`} data-testid="palette-item" onClick={onPick} onPointerMove={onPoint}>
      {item.status ? <StatusGlyph status={item.status} /> : item.icon && <Icon name={item.icon} small />}
      <span className="ell"><Marked name={item.name} at={item.at} /></span>
      {item.hint && <span className="muted ell hint">{item.hint}</span>}
      {item.key && <span className="keys">{keyNames(item.key).map((k) => <kbd key={k}>{k}</kbd>)}</span>}
    </div>
  );
}

/** One field for everything: runs, experiments, metrics, commands. What is loaded answers at once, the server after. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const { path, search } = usePlace();
  const { items, searching } = usePaletteItems(text, parseRoute(path), search);
  const chosen = Math.min(at, items.length - 1);
  useEffect(() => {
    const node = dialog.current;
    if (node && !node.open) node.showModal();
    return () => node?.close();
  }, []);
  useEffect(() => setAt(0), [text]);
  useEffect(() => {
    // Newer browsers return a promise here, which is no way to end an effect.
    void list.current?.querySelector(".on")?.scrollIntoView({ block: "nearest" });
  }, [chosen, items]);
  const pick = (item: Item | undefined) => {
    if (!item) return;
    onClose();
    // The dialog gives the focus back first, so that a command may take it.
    setTimeout(item.run);
  };
  const key = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (by !== undefined) setAt(Math.max(0, Math.min(items.length - 1, chosen + by)));
    else if (event.key === "Enter") pick(items[chosen]);
    else if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) onClose();
    else return;
    event.preventDefault();
  };
  return (
    <dialog ref={dialog} className="dialog palette" aria-label={t.search} onCancel={(e) => { e.preventDefault(); onClose(); }} onPointerDown={(e) => e.target === dialog.current && onClose()}>
      <div className="pl-in">
        <div className="pl-f">
          <Icon name="search" />
          <input value={text} autoFocus role="combobox" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list" aria-activedescendant={items[chosen] ? `palette-${items[chosen].id}` : undefined} aria-label={t.search}
            placeholder={t.palettePlaceholder} autoComplete="off" spellCheck={false} data-testid="palette-input" onChange={(e) => setText(e.target.value)} onKeyDown={key} />
          <kbd>Esc</kbd>
        </div>
        <div ref={list} id="palette-list" role="listbox" aria-label={t.search} className="pl-l">
          {items.map((item, i) => (
            <div key={item.id} role="presentation">
              {item.section !== items[i - 1]?.section && <div className="pl-h" role="presentation">{item.section}</div>}
              <Line item={item} on={i === chosen} onPick={() => pick(item)} onPoint={() => i !== chosen && setAt(i)} />
            </div>
          ))}
        </div>
        {items.length === 0 && <p className="note">{searching ? t.searching : t.nothingFound}</p>}
        <p className="pl-foot muted"><kbd>&gt;</kbd> {t.commands} <kbd>#</kbd> {t.tags} <kbd>/</kbd> {t.keyFilter}</p>
      </div>
    </dialog>
  );
}
