import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveClient } from "./live";

/** The browser's event stream, told what to do by the tests. */
class Stream {
  static all: Stream[] = [];
  static readonly CLOSED = 2;
  onerror: (() => void) | null = null;
  readyState = 0;
  closed = false;
  private readonly listeners = new Map<string, (event: { data: string }) => void>();
  constructor(readonly url: string) {
    Stream.all.push(this);
  }
  addEventListener(name: string, listener: (event: { data: string }) => void): void {
    this.listeners.set(name, listener);
  }
  close(): void {
    this.closed = true;
  }
  say(name: string, body: unknown): void {
    this.listeners.get(name)!({ data: JSON.stringify(body) });
  }
}

const last = () => Stream.all[Stream.all.length - 1]!;
const visible = { hidden: false, baseURI: "http://localhost/", listener: () => {}, addEventListener: (_: string, listener: () => void) => (visible.listener = listener) };
function hide(hidden: boolean): void {
  visible.hidden = hidden;
  visible.listener();
}

beforeEach(() => {
  vi.useFakeTimers();
  Stream.all = [];
  visible.hidden = false;
  vi.stubGlobal("EventSource", Stream);
  vi.stubGlobal("document", visible);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function started(): LiveClient {
  const client = new LiveClient();
  client.start();
  last().say("hello", { cursor: "5" });
  return client;
}

describe("the live stream", () => {
  it("begins where the page was made", () => {
    const client = new LiveClient();
    client.start("4");
    expect(last().url).toContain("cursor=4");
  });

  it("tells changes and goes on from the last cursor in another scope", () => {
    const client = started();
    const seen: string[] = [];
    client.onChanges((runs) => seen.push(...runs.map((run) => run.run_id)));
    last().say("changes", { cursor: "7", runs: [{ run_id: "a" }] });
    client.setScope({ runId: "a" });
    expect(seen).toEqual(["a"]);
    expect(last().url).toContain("cursor=7");
    expect(last().url).toContain("run_id=a");
    expect(Stream.all[0]!.closed).toBe(true);
  });
  it("sleeps half a minute after the tab was hidden and wakes with its cursor", () => {
    started();
    hide(true);
    vi.advanceTimersByTime(29_000);
    expect(last().closed).toBe(false);
    vi.advanceTimersByTime(2_000);
    expect(last().closed).toBe(true);
    hide(false);
    expect(Stream.all).toHaveLength(2);
    expect(last().url).toContain("cursor=5");
  });
  it("does not sleep when the tab is back in time", () => {
    started();
    hide(true);
    vi.advanceTimersByTime(10_000);
    hide(false);
    vi.advanceTimersByTime(60_000);
    expect(Stream.all).toHaveLength(1);
    expect(last().closed).toBe(false);
  });
  it("comes back by itself after an answer that was none, and says so", () => {
    const client = started();
    let back = 0;
    client.onComeback(() => back++);
    last().readyState = Stream.CLOSED;
    last().onerror!();
    expect(client.state.get().state).toBe("offline");
    vi.advanceTimersByTime(3_000);
    last().say("hello", { cursor: "6" });
    expect([Stream.all.length, back, client.state.get().state]).toEqual([2, 1, "live"]);
    expect(last().url).toContain("cursor=5");
  });
  it("stands still while paused and goes on from its cursor", () => {
    const client = started();
    client.pause(true);
    client.setScope({ experimentId: "1" });
    hide(true);
    hide(false);
    expect([Stream.all.length, last().closed, client.state.get().state]).toEqual([1, true, "paused"]);
    client.pause(false);
    expect(last().url).toContain("cursor=5");
    expect(last().url).toContain("experiment_id=1");
  });
});
