import { createStore } from "../model/store";
import { ApiError } from "./http";
import { queryTable, type Row, type TablePage, type TableQuery } from "./table";

export interface TableState {
  rows: Row[];
  total: number;
  /** Token of the next page; "" at the end. */
  next: string;
  loading: boolean;
  /** True until the first answer of any query. */
  fresh: boolean;
  error: Error | null;
  /** Runs that arrived while the table must not move. */
  held: number;
  /** The search that the rows answer; null before the first answer. */
  filter: string | null;
}

const FIRST_PAGE = 200;
const NEXT_PAGE = 1000;
const REFRESH_MOST = 1000;

/** The rows of one search, page by page. A failed query leaves the last good result in place. */
export class TableStore {
  readonly state = createStore<TableState>({ rows: [], total: 0, next: "", loading: true, fresh: true, error: null, held: 0, filter: null });
  /** The last search that was answered: what is shown is fetched again with it, never with one that was refused. */
  private query: TableQuery | null = null;
  private wanted: TableQuery | null = null;
  private stuck = false;
  private turn = 0;
  private more = false;
  private heldPage: TablePage | null = null;

  constructor(private readonly fetch: (query: TableQuery, signal?: AbortSignal) => Promise<TablePage> = queryTable) {}

  /** Starts a new search; the old rows stay until it answers. */
  async load(query: TableQuery): Promise<void> {
    const turn = ++this.turn;
    this.wanted = query;
    this.more = this.stuck = false;
    this.update({ loading: true });
    try {
      const page = await this.fetch({ ...query, max_results: FIRST_PAGE });
      if (turn !== this.turn) return;
      this.query = query;
      this.replace(page);
    } catch (error) {
      if (turn === this.turn) this.update({ loading: false, error: error as Error });
    }
  }

  /** Loads pages until row `index` is there or nothing is left. */
  async need(index: number): Promise<void> {
    const { rows, next, loading } = this.state.get();
    if (this.more || !this.query || !next || loading || this.stuck || index < rows.length) return;
    this.more = true;
    const turn = this.turn;
    try {
      const page = await this.fetch({ ...this.query, max_results: NEXT_PAGE, page_token: next });
      if (turn !== this.turn) return;
      const known = new Set(rows.map((r) => r.run.run_id));
      const now = this.state.get();
      this.update({ rows: [...now.rows, ...page.rows.filter((r) => !known.has(r.run.run_id))], total: page.total, next: page.next });
    } catch (error) {
      this.stuck = true;
      if (turn === this.turn) this.update({ error: error as Error });
      return;
    } finally {
      if (turn === this.turn) this.more = false;
    }
    await this.need(index);
  }

  /** Fetches what is shown again. With `hold` values change in place, and new runs wait for `release`. */
  async refresh(changed: string[] | null, hold: boolean): Promise<void> {
    const { query, wanted } = this;
    const { rows, loading, error } = this.state.get();
    if (loading || !wanted) return;
    const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
    if (!query || (error && !refused)) return refused ? undefined : this.load(wanted);
    this.stuck = false;
    const turn = this.turn;
    const deep = rows.length > REFRESH_MOST;
    if (deep && changed) return this.patch(changed, turn);
    const page = await this.fetch({ ...query, max_results: Math.min(REFRESH_MOST, Math.max(FIRST_PAGE, rows.length)) });
    if (turn !== this.turn) return;
    if (!hold) return this.replace(page, this.state.get().error);
    const arrived = page.rows.filter((r) => !rows.some((old) => old.run.run_id === r.run.run_id)).length;
    this.heldPage = page;
    this.update({ rows: this.inPlace(page.rows), held: arrived });
  }

  release(): void {
    if (this.heldPage) this.replace(this.heldPage, this.state.get().error);
  }

  private async patch(changed: string[], turn: number): Promise<void> {
    const known = new Set(this.state.get().rows.map((r) => r.run.run_id));
    const run_ids = changed.filter((id) => known.has(id)).slice(0, REFRESH_MOST);
    if (!run_ids.length) return;
    const page = await this.fetch({ columns: this.query?.columns, run_ids, max_results: run_ids.length, view: "all" });
    if (turn === this.turn) this.update({ rows: this.inPlace(page.rows) });
  }

  private inPlace(fresh: Row[]): Row[] {
    const byId = new Map(fresh.map((r) => [r.run.run_id, r]));
    return this.state.get().rows.map((row) => byId.get(row.run.run_id) ?? row);
  }

  private replace(page: TablePage, error: Error | null = null): void {
    this.heldPage = null;
    this.update({ rows: page.rows, total: page.total, next: page.next, loading: false, fresh: false, error, held: 0, filter: this.query?.filter ?? "" });
  }

  private update(part: Partial<TableState>): void {
    this.state.set({ ...this.state.get(), ...part });
  }
}
