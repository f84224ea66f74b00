import { describe, expect, it } from "vitest";
import { LogStore, PAGE } from "./logStore";
import type { LogPage } from "./logs";

const STDOUT = { source: "", stream: "stdout" };

function server(state: { total: number; keptFrom?: number }) {
  const asked: string[] = [];
  const read = (where: { after?: number; before?: number }, limit: number): Promise<LogPage> => {
    asked.push(JSON.stringify(where));
    const keptFrom = state.keptFrom ?? 1;
    const first = Math.max(where.after === undefined ? state.total - limit + 1 : where.after + 1, keptFrom);
    const count = Math.max(0, Math.min(limit, state.total - first + 1));
    const numbers = Array.from({ length: count }, (_, i) => first + i);
    return Promise.resolve({ total: state.total, kept_from: keptFrom, dropped: 0, first, origins: [STDOUT], origin: numbers.map(() => 0), times: numbers, texts: numbers.map((n) => `line ${n}`), open: [] });
  };
  return { asked, store: new LogStore(read) };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("LogStore", () => {
  it("begins with the end of the log and fetches what is looked at", async () => {
    const { store, asked } = server({ total: 5500 });
    await store.refresh();
    expect(store.state.get()).toMatchObject({ fresh: false, total: 5500, keptFrom: 1 });
    expect(store.line(5500)?.text).toBe("line 5500");
    expect(store.line(1)).toBeUndefined();
    store.need(1, 20);
    store.need(1, 20);
    await settled();
    expect(store.line(20)).toEqual({ text: "line 20", time: 20, origin: STDOUT });
    expect(asked).toEqual(["{}", '{"after":0}']);
  });

  it("fetches the beginning of a page of which it has the end", async () => {
    const { store } = server({ total: 5500 });
    await store.refresh();
    expect(store.line(4400)).toBeUndefined();
    store.need(4400, 4600);
    await settled();
    expect([4001, 4400, 4501, 5000].map((n) => store.line(n)?.text)).toEqual(["line 4001", "line 4400", "line 4501", "line 5000"]);
  });

  it("appends what comes, also across pages", async () => {
    const state = { total: PAGE - 5 };
    const { store } = server(state);
    await store.refresh();
    state.total = PAGE + 7;
    await store.refresh();
    expect([PAGE - 5, PAGE - 4, PAGE, PAGE + 1, PAGE + 7].map((n) => store.line(n)?.text)).toEqual([`line ${PAGE - 5}`, `line ${PAGE - 4}`, `line ${PAGE}`, `line ${PAGE + 1}`, `line ${PAGE + 7}`]);
  });

  it("fills a gap that came when more arrived than one answer holds", async () => {
    const state = { total: 10 };
    const { store } = server(state);
    await store.refresh();
    state.total = 10 * PAGE;
    await store.refresh();
    expect(store.state.get().total).toBe(10 * PAGE);
    store.need(10 * PAGE - 20, 10 * PAGE);
    await settled();
    expect(store.line(10 * PAGE)?.text).toBe(`line ${10 * PAGE}`);
    store.need(1, 5);
    await settled();
    expect(store.line(5)?.text).toBe("line 5");
  });

  it("keeps a bounded number of pages", async () => {
    const { store } = server({ total: 200 * PAGE });
    await store.refresh();
    for (let page = 0; page < 100; page++) {
      store.need(page * PAGE + 1, page * PAGE + 1);
      await settled();
    }
    expect(store.line(1)).toBeUndefined();
    expect(store.line(99 * PAGE + 1)?.text).toBe(`line ${99 * PAGE + 1}`);
  });

  it("knows where a shortened log begins", async () => {
    const { store } = server({ total: 5000, keptFrom: 2500 });
    await store.refresh();
    store.need(2500, 2510);
    await settled();
    expect(store.state.get().keptFrom).toBe(2500);
    expect(store.line(2500)?.text).toBe("line 2500");
    expect(store.line(2499)).toBeUndefined();
  });

  it("keeps the open line of the latest question, whichever answer comes last", async () => {
    const answers: ((open: string, total: number) => void)[] = [];
    const page = (open: string, total: number): LogPage => ({ total, kept_from: 1, dropped: 0, first: 1, origins: [STDOUT], origin: [0], times: [1], texts: ["line 1"], open: [{ ...STDOUT, text: open, time: 1 }] });
    const store = new LogStore(() => new Promise((resolve) => answers.push((open, total) => resolve(page(open, total)))));
    const [early, late] = [store.refresh(), store.refresh()];
    answers[1]!("90 %", 1);
    await late;
    answers[0]!("10 %", 1);
    await early;
    expect(store.state.get().open.map((line) => line.text)).toEqual(["90 %"]);
  });

  it("says why nothing comes", async () => {
    const store = new LogStore(() => Promise.reject(new Error("no")));
    await store.refresh();
    expect(store.state.get().error?.message).toBe("no");
  });
});
