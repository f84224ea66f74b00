import { useCallback, useMemo, type AnchorHTMLAttributes, type MouseEvent, type Ref } from "react";
import { createStore } from "../model/store";
import { basePath, below, under } from "../url/base";
import { fromMlflowHash } from "../url/hash";
import { readPart } from "../url/idset";
import { useStore } from "./hooks";

export interface Place {
  path: string;
  /** The query, with the fragment where that names runs. */
  search: string;
  /** Where this page was opened from, as its opener wrote it; kept by the browser with the history entry. */
  from: string;
}

function readFrom(): string {
  const state: unknown = history.state;
  const from = typeof state === "object" && state !== null && "from" in state ? state.from : "";
  return typeof from === "string" ? from : "";
}

const searched = () => location.search + (readPart(location.hash) === null ? "" : location.hash);

const read = (): Place => ({ path: below(location.pathname, basePath()), search: searched(), from: readFrom() });
const place = createStore<Place>({ path: "/", search: "", from: "" });

function update(): void {
  const next = read();
  const old = place.get();
  if (next.path !== old.path || next.search !== old.search || next.from !== old.from) place.set(next);
}

/** Follows a printed MLflow address, then keeps the place in step with the browser's history. */
export function startRouter(): void {
  const follow = () => {
    const target = fromMlflowHash(location.hash);
    if (target !== null) history.replaceState(null, "", under(target));
    update();
  };
  addEventListener("popstate", follow);
  addEventListener("hashchange", follow);
  follow();
}

/** Goes to a path below the base. `replace` when Back should not come here again; `from` is what the page there is told. */
export function navigate(to: string, { replace = false, from = "" }: { replace?: boolean; from?: string } = {}): void {
  const before = place.get().path;
  history[replace ? "replaceState" : "pushState"](from ? { from } : null, "", under(to));
  update();
  if (before !== place.get().path) document.getElementById("main")?.focus({ preventScroll: true });
}

export const usePlace = () => useStore(place);

/** State that lives in the query string, and for sets of runs in the fragment: `parse` reads it, `format` writes it with defaults left out. */
export function useView<T extends object>(parse: (search: string) => T, format: (view: T) => string): [T, (change: Partial<T>, replace?: boolean) => void] {
  const { search } = usePlace();
  const view = useMemo(() => parse(search), [parse, search]);
  const change = useCallback((part: Partial<T>, replace = false) => {
    const now = place.get();
    navigate(now.path + format({ ...parse(now.search), ...part }), { replace, from: now.from });
  }, [parse, format]);
  return [view, change];
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string; from?: string; ref?: Ref<HTMLAnchorElement> };

/** A link inside the page: a plain click navigates, every other one is the browser's. */
export function Link({ to, from, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to, { from });
  };
  return <a href={under(to)} onClick={follow} {...rest} />;
}
