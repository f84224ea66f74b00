import { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type Ref } from "react";
import { ApiError } from "../../api/http";
import type { Columns } from "../../api/table";
import { complete, quoteKey, tokens, unfinished, unknownKeys, type Completion, type Unfinished } from "../../model/filter";
import { t } from "../../i18n";
import { useLatest } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";

interface Props {
  inputRef: Ref<HTMLInputElement>;
  value: string;
  error: Error | null;
  columns: Columns | undefined;
  count: string;
  onChange: (text: string) => void;
}

const SETTLE_MS = 300;

function lacks({ lacks: what, word }: Unfinished): string {
  switch (what) {
    case "key":
      return t.lacksKey(word);
    case "operator":
      return t.lacksOperator(word);
    case "value":
      return t.lacksValue(word);
    case "quote":
      return t.lacksQuote;
    case "parenthesis":
      return t.lacksParenthesis;
    case "condition":
      return t.lacksCondition(word);
  }
}

/** The text in colour behind the field: namespaces in accent, the faulty place underlined. */
function Mirror({ text, wrong }: { text: string; wrong: [number, number] | null }) {
  let at = 0;
  return tokens(text).map((token, i) => {
    const from = at;
    at += token.text.length;
    const bad = wrong !== null && from < wrong[1] && at > wrong[0];
    return <span key={i} className={`tk-${token.kind}${bad ? " err" : ""}`}>{token.text}</span>;
  });
}

function coverage({ runs, distinct }: Completion, total: number): string {
  const parts = [distinct ? t.values(distinct) : "", runs !== undefined && total ? `${Math.round((runs / total) * 100)} %` : ""];
  return parts.filter(Boolean).join(", ");
}

/** One field for the search language, with completion under the caret and errors at their place. */
export function FilterField({ inputRef, value, error, columns, count, onChange }: Props) {
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState<number | null>(null);
  const [active, setActive] = useState(-1);
  const [open, setOpen] = useState(false);
  const own = useRef<HTMLInputElement | null>(null);
  const mirror = useRef<HTMLDivElement>(null);
  const jump = useRef<number | null>(null);
  const sent = useRef(value);
  const [settled, setSettled] = useState(value);
  const listId = useId();

  const tell = useLatest(onChange);
  // What is half typed is not sent: the last good result stays, and a hint says what is missing.
  const send = useCallback((next: string) => {
    setSettled(next);
    if (next.trim() === sent.current.trim() || unfinished(next)) return;
    sent.current = next.trim();
    tell.current(next.trim());
  }, [tell]);
  useEffect(() => {
    if (value === sent.current) return;
    sent.current = value;
    setText(value);
    setSettled(value);
  }, [value]);
  useEffect(() => {
    const timer = setTimeout(() => send(text), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [text, send]);
  useLayoutEffect(() => {
    if (jump.current !== null) own.current?.setSelectionRange(jump.current, jump.current);
    jump.current = null;
    if (mirror.current && own.current) mirror.current.scrollLeft = own.current.scrollLeft;
  });

  const found = useMemo(() => (columns && caret !== null && open ? complete(text, caret, columns) : null), [columns, caret, text, open]);
  const items = found?.items ?? [];
  const take = (item: Completion) => {
    if (!found) return;
    const next = text.slice(0, found.from) + item.insert + text.slice(found.to).replace(/^['"`]?\s*/, "");
    jump.current = found.from + item.insert.length;
    setText(next);
    setCaret(jump.current);
    setActive(-1);
  };
  const keys = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Escape") {
      if (open && items.length) setOpen(false);
      else own.current?.blur();
      event.stopPropagation();
    } else if (event.key === "Enter" || event.key === "Tab") {
      const chosen = items[active] ?? (event.key === "Tab" && open ? items[0] : undefined);
      if (chosen) {
        event.preventDefault();
        take(chosen);
      } else if (event.key === "Enter") {
        send(text);
        setOpen(false);
      }
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && items.length) {
      event.preventDefault();
      setActive((active + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length);
    }
  };
  const wrong: [number, number] | null = error instanceof ApiError && error.position !== null && text.trim() === sent.current ? [error.position, error.position + Math.max(1, error.length ?? 1)] : null;
  const half = useMemo(() => unfinished(settled), [settled]);
  const unknown = useMemo(() => (columns && !half ? unknownKeys(settled, columns) : []), [columns, half, settled]);
  const busy = open && items.length > 0;
  const refused = error !== null && !half && settled.trim() === sent.current.trim() && !(error instanceof ApiError && error.offline);
  const hint = half !== null && !busy;
  const shown = refused || hint;
  const replace = (from: number, to: number, key: string) => {
    const next = settled.slice(0, from) + quoteKey(key) + settled.slice(to);
    setText(next);
    send(next);
    own.current?.focus();
  };
  const follow = (input: HTMLInputElement) => setCaret(input.selectionStart);
  return (
    <div className="filterbox">
      <div className={`filter${refused ? " wrong" : ""}`} role="search">
        <span className="muted"><Icon name="filter" small /></span>
        <div className="filter-text">
          <div ref={mirror} className="mirror" aria-hidden="true"><Mirror text={text} wrong={wrong} /></div>
          <input ref={(node) => { own.current = node; if (typeof inputRef === "function") inputRef(node); else if (inputRef) inputRef.current = node; }}
            data-testid="filter-input" value={text} placeholder={t.filterHint} aria-label={t.filterLabel} spellCheck={false} autoComplete="off" autoCapitalize="off"
            role="combobox" aria-expanded={open && items.length > 0} aria-controls={listId} aria-autocomplete="list" aria-invalid={refused || undefined} aria-activedescendant={active >= 0 ? `${listId}-${active}` : undefined}
            onChange={(e) => { setText(e.target.value); setCaret(e.target.selectionStart); setActive(-1); setOpen(true); }}
            onKeyDown={keys} onClick={(e) => { follow(e.currentTarget); setOpen(true); }} onKeyUp={(e) => follow(e.currentTarget)} onBlur={() => setOpen(false)}
            onScroll={(e) => mirror.current && (mirror.current.scrollLeft = e.currentTarget.scrollLeft)} />
        </div>
        {text && <button type="button" className="copy" aria-label={t.clearFilter} title={t.clearFilter} onClick={() => { setText(""); send(""); own.current?.focus(); }}><Icon name="x" small /></button>}
        <span className="muted num filter-count">{count}</span>
      </div>
      <div id={listId} role="listbox" aria-label={t.suggestions} className={open && items.length ? "complete" : "complete none"}>
        {open && items.map((item, i) => (
          <div key={item.kind + item.label} id={`${listId}-${i}`} role="option" aria-selected={i === active} className={`mi${i === active ? " on" : ""}`}
            onPointerDown={(e) => { e.preventDefault(); take(item); }}>
            <code className="grow ell">{item.label}</code>
            <span className="muted num">{coverage(item, columns?.runs ?? 0)}</span>
          </div>
        ))}
      </div>
      {!shown && !busy && unknown.map(({ key, from, to, near }) => (
        <div key={from} className="filter-error" role="status" data-testid="filter-unknown">{near ? <span>{t.didYouMean(key)} <button type="button" className="linkish" onClick={() => replace(from, to, near)}>{near}</button>?</span> : <span>{t.noSuchKey(key)}</span>}</div>
      ))}
      {shown && <div className="filter-error" role="alert" data-testid="filter-error">{half ? <span className="sec">{lacks(half)}</span> : <span className="bad">{error!.message}</span>}<span className="grow" />{count && <span className="muted">{t.lastResult}</span>}</div>}
    </div>
  );
}
