import { createStore } from "../model/store";
import { ApiError } from "./http";
import { mergeRow, queryTable, type Row, type TablePage, type TableQuery } from "./table";

export interface TableState {
  /** The rows from the first on, as far as they are loaded without a gap. */
  rows: Row[];
  total: number;
  loading: boolean;
  /** True until the first answer of any query. */
  fresh: boolean;
  error: Error | null;
  /** Runs that arrived while the table must not move. */
  held: number;
  /** The search that the rows answer; null before the first answer. */
  filter: string | null;
  /** Grows whenever a row anywhere changes. */
  version: number;
}

export const PAGE = 200;
const REFRESH_MOST = 1000;
const AT_ONCE = 2;

type Fetch = (query: TableQuery, signal?: AbortSignal) => Promise<TablePage>;

/** The rows of one search, loaded where they are looked at. A failed query leaves the last good result in place. */
export class TableStore {
  readonly state = createStore<TableState>({ rows: [], total: 0, loading: true, fresh: true, error: null, held: 0, filter: null, version: 0 });
  /** The last search that was answered: what is shown is fetched again with it, never with one that was refused. */
  private query: TableQuery | null = null;
  private wanted: TableQuery | null = null;
  private pages = new Map<number, Row[]>();
  private inFlight = new Set<number>();
  private range: [number, number] = [0, 0];
  private columns: readonly string[] = [];
  private filling = false;
  private stuck = false;
  private turn = 0;
  private heldPage: TablePage | null = null;
  /** What was told to have changed while a search was under way: its answer may be older than that. */
  private missed: { changed: string[] | null; held: () => boolean } | null = null;

  constructor(private readonly fetch: Fetch = queryTable) {}

  /** Starts a new search; the old rows stay until it answers. */
  async load(query: TableQuery): Promise<void> {
    const turn = ++this.turn;
    this.wanted = query;
    this.missed = null;
    this.stuck = false;
    this.inFlight.clear();
    this.update({ loading: true });
    try {
      const page = await this.fetch({ ...query, max_results: PAGE });
      if (turn !== this.turn) return;
      this.query = query;
      this.range = [0, 0];
      this.replace(page);
    } catch (error) {
      if (turn === this.turn) this.update({ loading: false, error: error as Error });
    }
    if (turn === this.turn) await this.catchUp();
  }

  private async catchUp(): Promise<void> {
    if (!this.missed) return;
    const { changed, held } = this.missed;
    this.missed = null;
    await this.refresh(changed, held).catch(() => undefined); // the next change asks again
  }

  /** Starts the same search again. */
  async reload(): Promise<void> {
    if (this.wanted) await this.load(this.wanted);
  }

  at(index: number): Row | undefined {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Loads the rows from `first` to `last`, and of these the columns, wherever that is. What is no longer looked at is not begun. */
  async need(first: number, last: number, columns: readonly string[] = this.columns): Promise<void> {
    this.range = [Math.max(0, first), last];
    this.columns = columns;
    await Promise.all([this.pump(), this.fill()]);
  }

  /** The rows from `first` to `last`, all loaded; fewer where the search ends. */
  async rowsBetween(first: number, last: number): Promise<Row[]> {
    const before = this.range;
    await this.need(first, last);
    while (this.inFlight.size) await new Promise((resolve) => setTimeout(resolve, 20));
    this.range = before;
    return Array.from({ length: last - first + 1 }, (_, i) => this.at(first + i)).filter((row) => row !== undefined);
  }

  private missing(): number | undefined {
    const { total } = this.state.get();
    const last = Math.min(this.range[1], total - 1);
    for (let page = Math.floor(this.range[0] / PAGE); page * PAGE <= last; page++)
      if (!this.pages.has(page) && !this.inFlight.has(page)) return page;
    return undefined;
  }

  private async pump(): Promise<void> {
    const { loading } = this.state.get();
    if (!this.query || loading || this.stuck || this.inFlight.size >= AT_ONCE) return;
    const number = this.missing();
    if (number === undefined) return;
    const turn = this.turn;
    this.inFlight.add(number);
    try {
      const page = await this.fetch({ ...this.query, max_results: PAGE, offset: number * PAGE });
      if (turn !== this.turn) return;
      this.pages.set(number, page.rows);
      this.update({ rows: number * PAGE <= this.state.get().rows.length ? this.prefix() : this.state.get().rows, total: page.total });
    } catch (error) {
      this.stuck = true;
      if (turn === this.turn) this.update({ error: error as Error });
      return;
    } finally {
      if (turn === this.turn) this.inFlight.delete(number);
    }
    await Promise.all([this.pump(), this.fill()]);
  }

  /** Fetches the columns in view that rows in view lack. */
  private async fill(): Promise<void> {
    if (this.filling || !this.query || this.state.get().loading) return;
    const poor: string[] = [];
    const lacking = new Set<string>();
    for (let i = this.range[0]; i <= this.range[1]; i++) {
      const row = this.at(i);
      const lacks = row ? this.columns.filter((column) => row.have && !row.have.has(column)) : [];
      if (row && lacks.length) poor.push(row.run.run_id);
      for (const column of lacks) lacking.add(column);
    }
    if (!poor.length) return;
    this.filling = true;
    const turn = this.turn;
    try {
      const page = await this.fetch({ columns: [...lacking], parts: this.query.parts, run_ids: poor, max_results: poor.length, view: "all" });
      if (turn === this.turn) this.merge(page.rows);
    } catch (error) {
      if (turn === this.turn) this.update({ error: error as Error });
      return;
    } finally {
      this.filling = false;
    }
    if (turn === this.turn) await this.fill();
  }

  /**
   * Fetches what is shown again. Where `held` says so when the answer is there, values change in place, and new runs wait
   * for `release`.
   */
  async refresh(changed: string[] | null, held: () => boolean): Promise<void> {
    const { query, wanted } = this;
    const { rows, loading, error } = this.state.get();
    if (loading) {
      const all = changed === null || this.missed?.changed === null;
      this.missed = { changed: all ? null : [...new Set([...(this.missed?.changed ?? []), ...changed])], held };
      return;
    }
    if (!wanted) return;
    const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
    if (!query || (error && !refused)) return refused ? undefined : this.load(wanted);
    this.stuck = false;
    const turn = this.turn;
    const deep = rows.length > REFRESH_MOST || this.pages.size * PAGE > REFRESH_MOST;
    if (deep && changed) return this.patch(changed, turn);
    const page = await this.fetch({ ...query, max_results: Math.min(REFRESH_MOST, Math.max(PAGE, Math.ceil(rows.length / PAGE) * PAGE)) });
    if (turn !== this.turn) return;
    if (!held()) return this.replace(page, this.state.get().error);
    const known = new Set(this.state.get().rows.map((r) => r.run.run_id));
    this.heldPage = page;
    this.update({ held: page.rows.filter((r) => !known.has(r.run.run_id)).length });
    this.merge(page.rows);
  }

  release(): void {
    if (this.heldPage) this.replace(this.heldPage, this.state.get().error);
  }

  private async patch(changed: string[], turn: number): Promise<void> {
    const known = new Set([...this.pages.values()].flatMap((rows) => rows.map((r) => r.run.run_id)));
    const run_ids = changed.filter((id) => known.has(id)).slice(0, REFRESH_MOST);
    if (!run_ids.length) return;
    const page = await this.fetch({ columns: this.query?.columns, parts: this.query?.parts, run_ids, max_results: run_ids.length, view: "all" });
    if (turn === this.turn) this.merge(page.rows);
  }

  private merge(fresh: Row[]): void {
    const byId = new Map(fresh.map((r) => [r.run.run_id, r]));
    for (const [number, rows] of this.pages)
      if (rows.some((row) => byId.has(row.run.run_id)))
        this.pages.set(number, rows.map((row) => {
          const found = byId.get(row.run.run_id);
          return found ? mergeRow(row, found) : row;
        }));
    this.update({ rows: this.prefix() });
  }

  private prefix(): Row[] {
    const rows: Row[] = [];
    for (let number = 0; this.pages.has(number); number++) rows.push(...this.pages.get(number)!);
    return rows;
  }

  private replace(page: TablePage, error: Error | null = null): void {
    this.heldPage = null;
    this.inFlight.clear();
    const old = new Map([...this.pages.values()].flatMap((rows) => rows.map((row) => [row.run.run_id, row] as const)));
    this.pages.clear();
    for (let at = 0; at < page.rows.length; at += PAGE)
      this.pages.set(at / PAGE, page.rows.slice(at, at + PAGE).map((row) => {
        const known = old.get(row.run.run_id);
        return known ? mergeRow(known, row) : row;
      }));
    this.update({ rows: this.prefix(), total: page.total, loading: false, fresh: false, error, held: 0, filter: this.query?.filter ?? "" });
    void this.pump();
    void this.fill();
  }

  private update(part: Partial<TableState>): void {
    const now = this.state.get();
    this.state.set({ ...now, ...part, version: now.version + 1 });
  }
}
