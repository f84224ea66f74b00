import { createStore, type Store } from "../model/store";
import type { LogOrigin, LogPage, OpenLine } from "./logs";

export interface LogLine {
  text: string;
  time: number;
  origin: LogOrigin;
}
export interface LogState {
  /** Nothing has come from the server yet. */
  fresh: boolean;
  total: number;
  keptFrom: number;
  dropped: number;
  open: OpenLine[];
  error: Error | null;
  /** Grows with each change. */
  version: number;
}

export const PAGE = 1000;
const PAGES = 60;

type Read = (where: { after?: number; before?: number }, limit: number) => Promise<LogPage>;

/** The lines of one log, fetched where they are looked at: pages of a thousand, the ones looked at last. */
export class LogStore {
  readonly state: Store<LogState> = createStore<LogState>({ fresh: true, total: 0, keptFrom: 1, dropped: 0, open: [], error: null, version: 0 });
  private readonly pages = new Map<number, LogPage>();
  private readonly asked = new Set<number>();
  private questions = 0;
  /** The latest question that was answered: how the log stands is told by no earlier one. */
  private answered = 0;

  constructor(private readonly read: Read) {}

  /** A line by its number; undefined while it is not here. */
  line(number: number): LogLine | undefined {
    const page = this.pages.get(Math.floor((number - 1) / PAGE));
    const at = page ? number - page.first : -1;
    if (!page || at < 0 || at >= page.texts.length) return undefined;
    return { text: page.texts[at]!, time: page.times[at]!, origin: page.origins[page.origin[at]!]! };
  }

  /** Fetches what is missing of these lines. */
  need(first: number, last: number): void {
    for (let page = Math.floor((first - 1) / PAGE); page <= Math.floor((last - 1) / PAGE); page++) {
      const known = this.pages.get(page);
      if (known) {
        this.pages.delete(page);
        this.pages.set(page, known);
      }
      const { total, keptFrom } = this.state.get();
      const whole = known && known.first <= Math.max(page * PAGE + 1, keptFrom) && known.first + known.texts.length > Math.min((page + 1) * PAGE, total);
      if (page >= 0 && !whole && !this.asked.has(page)) void this.fetch(page);
    }
  }

  /** Asks how the log stands now; the lines at its end come with it. */
  async refresh(): Promise<void> {
    const { total, fresh } = this.state.get();
    try {
      await this.ask(fresh ? {} : { after: total });
    } catch (error) {
      this.change({ error: error as Error });
    }
  }

  private async fetch(page: number): Promise<void> {
    this.asked.add(page);
    try {
      await this.ask({ after: page * PAGE });
    } catch (error) {
      this.change({ error: error as Error });
    } finally {
      this.asked.delete(page);
    }
  }

  private async ask(where: { after?: number }): Promise<void> {
    const question = ++this.questions;
    const found = await this.read(where, PAGE);
    const late = question < this.answered;
    this.answered = Math.max(this.answered, question);
    this.take(found, late);
  }

  private take(found: LogPage, late: boolean): void {
    for (let at = 0; at < found.texts.length; ) {
      const page = Math.floor((found.first + at - 1) / PAGE);
      const end = Math.min(found.texts.length, (page + 1) * PAGE - found.first + 1);
      this.keep(page, slice(found, at, end));
      at = end;
    }
    while (this.pages.size > PAGES) this.pages.delete(this.pages.keys().next().value!);
    const { total } = this.state.get();
    const end = late ? {} : { keptFrom: found.kept_from, dropped: found.dropped, open: found.open };
    this.change({ fresh: false, total: Math.max(total, found.total), error: null, ...end });
  }

  /** Lines of one page join those that are known, if they continue them. */
  private keep(page: number, fresh: LogPage): void {
    const old = this.pages.get(page);
    this.pages.delete(page);
    if (old && fresh.first > old.first && fresh.first <= old.first + old.texts.length) {
      const origins = [...old.origins, ...fresh.origins];
      const kept = fresh.first - old.first;
      this.pages.set(page, {
        ...fresh, first: old.first, origins,
        origin: [...old.origin.slice(0, kept), ...fresh.origin.map((index) => index + old.origins.length)],
        times: [...old.times.slice(0, kept), ...fresh.times], texts: [...old.texts.slice(0, kept), ...fresh.texts],
      });
    } else if (!old || fresh.first <= old.first) {
      this.pages.set(page, fresh);
    } else {
      this.pages.set(page, old);
    }
  }

  private change(part: Partial<LogState>): void {
    const old = this.state.get();
    this.state.set({ ...old, ...part, version: old.version + 1 });
  }
}

function slice(found: LogPage, begin: number, end: number): LogPage {
  return { ...found, first: found.first + begin, origin: found.origin.slice(begin, end), times: found.times.slice(begin, end), texts: found.texts.slice(begin, end) };
}
