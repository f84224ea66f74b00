import { createStore } from "../model/store";
import { under } from "../url/base";
import { NATIVE, queryString } from "./http";
import type { RunInfo } from "./runs";

export interface LiveScope {
  experimentId?: string;
  runId?: string;
}
export interface LiveState {
  state: "connecting" | "live" | "offline" | "paused";
  /** When the server was last heard of, Unix milliseconds. */
  heard: number | null;
}
type Listener = (runs: RunInfo[]) => void;

const RETRY_MS = 3000;
const SLEEP_AFTER_MS = 30_000;

/** One event stream for the whole page. It follows the page's scope, sleeps in a hidden tab and resumes from its cursor. */
export class LiveClient {
  readonly state = createStore<LiveState>({ state: "connecting", heard: null });
  /** True while the reader wants the page to stand still. */
  readonly paused = createStore(false);
  private source: EventSource | null = null;
  private cursor = "";
  private scope: LiveScope = {};
  private retry: ReturnType<typeof setTimeout> | null = null;
  private sleep: ReturnType<typeof setTimeout> | null = null;
  private readonly listeners = new Set<Listener>();
  private readonly comebacks = new Set<() => void>();

  /** Follows what changes from `cursor` on: the one that came with the page, so that what happened while it loaded is told. */
  start(cursor = ""): void {
    this.cursor = cursor;
    document.addEventListener("visibilitychange", () => this.onVisibility());
    this.open();
  }

  setScope(scope: LiveScope): void {
    if (scope.experimentId === this.scope.experimentId && scope.runId === this.scope.runId) return;
    this.scope = scope;
    this.open();
  }

  onChanges(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Called when the stream is back after a loss: what was missed is worth one fetch. */
  onComeback(listener: () => void): () => void {
    this.comebacks.add(listener);
    return () => this.comebacks.delete(listener);
  }

  reconnect(): void {
    this.paused.set(false);
    this.open();
  }

  /** Stops following, or goes on from the cursor; what came meanwhile is then fetched once. */
  pause(on: boolean): void {
    if (on === this.paused.get()) return;
    this.paused.set(on);
    if (!on) return this.open();
    this.close();
    this.state.set({ state: "paused", heard: this.state.get().heard });
  }

  private open(): void {
    this.close();
    if (this.paused.get()) return;
    const query = queryString({ experiment_id: this.scope.experimentId, run_id: this.scope.runId, cursor: this.cursor || undefined });
    const source = new EventSource(under(`${NATIVE}/live`) + query);
    this.source = source;
    source.addEventListener("hello", (event) => this.onHello(event));
    source.addEventListener("changes", (event) => this.onEvent(event));
    source.onerror = () => this.onError(source);
  }

  private close(): void {
    this.source?.close();
    this.source = null;
    if (this.retry !== null) clearTimeout(this.retry);
    this.retry = null;
  }

  private onHello(event: MessageEvent<string>): void {
    const lost = this.state.get().state === "offline";
    this.remember(event);
    if (lost) for (const listener of [...this.comebacks]) listener();
  }

  private onEvent(event: MessageEvent<string>): void {
    const { runs } = this.remember(event);
    if (runs?.length) for (const listener of [...this.listeners]) listener(runs);
  }

  private remember(event: MessageEvent<string>): { cursor?: string; runs?: RunInfo[] } {
    const body = JSON.parse(event.data) as { cursor?: string; runs?: RunInfo[] };
    if (body.cursor) this.cursor = body.cursor;
    this.state.set({ state: "live", heard: Date.now() });
    return body;
  }

  private onError(source: EventSource): void {
    if (source !== this.source) return;
    this.state.set({ state: "offline", heard: this.state.get().heard });
    // The browser retries a broken stream itself, but gives up on an answer that is none.
    if (source.readyState === EventSource.CLOSED) this.retry = setTimeout(() => this.open(), RETRY_MS);
  }

  private onVisibility(): void {
    if (this.sleep !== null) clearTimeout(this.sleep);
    this.sleep = null;
    if (document.hidden) this.sleep = setTimeout(() => this.close(), SLEEP_AFTER_MS);
    else if (this.source === null && this.retry === null) this.open();
  }
}

export const live = new LiveClient();
