import { Pacer } from "../model/pacer";
import { inTurns } from "../model/turns";
import type { BaseAxis } from "../url/board";
import { queryBuckets, type Series } from "./buckets";

/** What decides the buckets of a series, apart from its run and key. */
export interface SeriesView {
  x: BaseAxis;
  start: number | null;
  end: number | null;
  buckets: number;
  smoothing: number;
}

interface Entry {
  runId: string;
  key: string;
  view: SeriesView;
  series: Series | null;
  state: "wanted" | "loading" | "ready" | "failed";
  stale: boolean;
  error: Error | null;
  users: number;
  touched: number;
}

const KEEP = 1500;
const MAX_SERIES_A_REQUEST = 240;
/** While many requests follow one another, what came is told no more often than this: each telling draws all charts. */
const TELL_MS = 150;
/** Requests under way at a time: a slow one does not hold up what is looked at meanwhile. */
const AT_ONCE = 2;
const viewId = (v: SeriesView) => `${v.x}|${v.start ?? ""}|${v.end ?? ""}|${v.buckets}|${v.smoothing}`;

/**
 * The page's memory of bucketed series. Wishes of one moment travel in one request, those of the finest lines first; a
 * live change refetches only the series of the runs that changed, and only those somebody is looking at.
 */
export class SeriesStore {
  private readonly entries = new Map<string, Entry>();
  private readonly listeners = new Set<() => void>();
  private readonly refresher = new Pacer(() => this.refreshStale(), 500);
  private soon = false;
  private inFlight = new Set<Promise<void>>();
  private clock = 0;
  private told = 0;
  private toldAt = 0;
  version = 0;

  constructor(private readonly query = queryBuckets) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Asks for series and holds them; the returned function lets go. */
  hold(runIds: string[], key: string, view: SeriesView): () => void {
    const held = runIds.map((runId) => this.entry(runId, key, view));
    for (const entry of held) {
      entry.users++;
      entry.touched = ++this.clock;
      if (entry.state === "wanted" || entry.stale) this.want(entry);
    }
    return () => {
      for (const entry of held) entry.users--;
      this.evict();
    };
  }

  peek(runId: string, key: string, view: SeriesView): Entry | undefined {
    return this.entries.get(`${runId}|${key}|${viewId(view)}`);
  }

  /** The runs have new points: their series are refetched when in sight, else when next asked for. */
  markChanged(runIds: Iterable<string>): void {
    const changed = new Set(runIds);
    for (const entry of this.entries.values()) if (changed.has(entry.runId)) entry.stale = true;
    this.refresher.poke();
  }

  retry(runIds: string[], key: string, view: SeriesView): void {
    for (const runId of runIds) {
      const entry = this.peek(runId, key, view);
      if (entry?.state === "failed") this.want(entry);
    }
  }

  /** The server is there again: what it could not answer is asked for anew. */
  retryFailed(): void {
    for (const entry of this.entries.values()) if (entry.state === "failed" && entry.users > 0) this.want(entry);
  }

  private entry(runId: string, key: string, view: SeriesView): Entry {
    const id = `${runId}|${key}|${viewId(view)}`;
    const known = this.entries.get(id);
    if (known) return known;
    const made: Entry = { runId, key, view, series: null, state: "wanted", stale: false, error: null, users: 0, touched: 0 };
    this.entries.set(id, made);
    return made;
  }

  private want(entry: Entry): void {
    if (entry.state === "loading") return;
    entry.state = "wanted";
    if (this.soon) return;
    this.soon = true;
    // Wishes of one moment come one after the other.
    setTimeout(() => {
      this.soon = false;
      this.pump();
    }, 0);
  }

  /** Ends when all is fetched, so that a slow server is asked less often. */
  private async refreshStale(): Promise<void> {
    for (const entry of this.entries.values()) if (entry.stale && entry.users > 0) this.want(entry);
    while (this.soon || this.inFlight.size) await (this.soon ? new Promise((done) => setTimeout(done, 0)) : Promise.race(this.inFlight));
  }

  /** Takes wishes of one view, that of the finest lines, by key, until the request is full; the rest follows in the next round. */
  private takeBatch(): Entry[] {
    const wanted = [...this.entries.values()].filter((e) => e.state === "wanted" && e.users > 0);
    const first = wanted.reduce<Entry | undefined>((best, e) => (best && best.view.buckets >= e.view.buckets ? best : e), undefined);
    if (!first) return [];
    const view = viewId(first.view);
    const same = wanted.filter((e) => viewId(e.view) === view);
    // All keys of the same runs, so that a request asks for no pair that nobody wants.
    const runs = new Set(same.filter((e) => e.key === first.key).slice(0, MAX_SERIES_A_REQUEST).map((e) => e.runId));
    const keys = new Set<string>();
    const batch: Entry[] = [];
    for (const entry of same) {
      if (!runs.has(entry.runId)) continue;
      if (!keys.has(entry.key) && (keys.size + 1) * runs.size > MAX_SERIES_A_REQUEST && keys.size > 0) continue;
      keys.add(entry.key);
      batch.push(entry);
    }
    return batch;
  }

  private pump(): void {
    while (this.inFlight.size < AT_ONCE) {
      const batch = this.takeBatch();
      if (!batch.length) break;
      const fetching = this.fetchBatch(batch).finally(() => {
        this.inFlight.delete(fetching);
        this.pump();
      });
      this.inFlight.add(fetching);
    }
    if (!this.inFlight.size) this.tell();
  }

  private tell(): void {
    if (this.told === this.version) return;
    [this.told, this.toldAt] = [this.version, Date.now()];
    void inTurns([...this.listeners].map((listener) => () => this.listeners.has(listener) && listener()));
  }

  private async fetchBatch(batch: Entry[]): Promise<void> {
    const { view } = batch[0]!;
    for (const entry of batch) [entry.state, entry.stale] = ["loading", false];
    const run_ids = [...new Set(batch.map((e) => e.runId))];
    const keys = [...new Set(batch.map((e) => e.key))];
    try {
      const found = new Map((await this.query({ run_ids, keys, ...view })).map((s) => [`${s.runId}|${s.key}`, s]));
      for (const entry of batch) {
        entry.series = found.get(`${entry.runId}|${entry.key}`) ?? null;
        [entry.state, entry.error] = ["ready", null];
      }
    } catch (error) {
      for (const entry of batch) [entry.state, entry.error] = ["failed", error as Error];
    }
    this.version++;
    if (batch.some((e) => e.stale)) this.refresher.poke();
    if (Date.now() - this.toldAt >= TELL_MS) this.tell();
  }

  private evict(): void {
    if (this.entries.size <= KEEP) return;
    const idle = [...this.entries].filter(([, e]) => e.users <= 0).sort(([, a], [, b]) => a.touched - b.touched);
    for (const [id] of idle.slice(0, this.entries.size - KEEP)) this.entries.delete(id);
  }
}

export const seriesStore = new SeriesStore();
