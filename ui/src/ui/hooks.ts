import { useEffect, useMemo, useRef, useState, useSyncExternalStore, type RefObject } from "react";
import type { Store } from "../model/store";
import { inTurns } from "../model/turns";

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** The time of now, moving every `every` milliseconds: for "6 min ago" and running durations. */
export function useNow(every = 10_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** The width and height of an element in CSS pixels; `mounted` changes when the element comes or goes. */
export function useSize(ref: RefObject<HTMLElement | null>, mounted = true): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      setSize((old) => (old.width === width && old.height === height ? old : { width, height }));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref, mounted]);
  return size;
}

const seen = new WeakMap<Element, boolean>();
const inSight = new WeakMap<Element, (inView: boolean) => void>();
let sight: IntersectionObserver | null = null;

/** One observer for all: a page may hold more than a thousand charts. The charts scroll in a pane, for which the second margin is. */
function observer(): IntersectionObserver {
  sight ??= new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) seen.set(target, isIntersecting);
    // The last word on an element counts, whichever turn it is.
    void inTurns(entries.map(({ target }) => () => inSight.get(target)?.(seen.get(target) ?? false)));
  }, { rootMargin: "60% 0px", scrollMargin: "60% 0px" } as IntersectionObserverInit);
  return sight;
}

/** True while the element is within one screen of the view. */
export function useInView(ref: RefObject<HTMLElement | null>): boolean {
  const [inView, setInView] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    inSight.set(element, setInView);
    observer().observe(element);
    return () => observer().unobserve(element);
  }, [ref]);
  return inView;
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const listener = () => setMatches(media.matches);
    listener();
    media.addEventListener("change", listener);
    return () => media.removeEventListener("change", listener);
  }, [query]);
  return matches;
}

/** The latest value in a ref, for listeners that outlive a render. */
export function useLatest<T>(value: T): RefObject<T> {
  const ref = useRef(value);
  useEffect(() => {
    ref.current = value;
  });
  return ref;
}

/** A value that keeps its identity while its content is the same, so that what hangs on it is left alone. */
export function useSame<T>(value: T): T {
  const text = JSON.stringify(value);
  return useMemo(() => JSON.parse(text) as T, [text]);
}

/** A value kept in this browser. */
export function useStored(key: string, fallback: string): [string, (next: string | null) => void] {
  const [value, setValue] = useState(() => readStored(key) ?? fallback);
  const set = (next: string | null) => {
    writeStored(key, next);
    setValue(next ?? fallback);
  };
  return [value, set];
}

export function readStored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function writeStored(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Private windows may refuse; the setting then lasts as long as the page.
  }
}

/** Sets the title of the document while mounted. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Logbuch` : "Logbuch";
  }, [title]);
}
