import { toNumber, type WireNumber } from "../model/number";
import { createStore } from "../model/store";
import { NATIVE, post } from "./http";
import { queryTable, type Row, type TableQuery } from "./table";
import { TableStore } from "./tableStore";

/** A metric over the runs of a group; null where no run has a finite value. */
export interface GroupCell {
  count: number;
  mean: number | null;
  std: number | null;
  min: number | null;
  max: number | null;
  median: number | null;
}
/** The values of a param, tag or attribute in a group: how many, of how many runs none, and the most common ones. */
export interface TextCell {
  distinct: number;
  missing: number;
  values: string[];
}
export interface Group {
  /** What the address names it by: its values. */
  id: string;
  values: (string | null)[];
  runs: number;
  /** What finds its runs among those of the search; null where the language cannot say it. */
  filter: string | null;
  /** By measure, such as "loss" or "min(loss)". */
  metrics: Record<string, GroupCell>;
  /** By column, such as "params.lr". */
  texts: Record<string, TextCell>;
}
export interface GroupQuery {
  experiment_ids: string[];
  filter: string;
  view: "active" | "deleted" | "all";
  by: string[];
  metrics: string[];
  texts?: string[];
  order_by: string[];
}
export interface GroupPage {
  groups: Group[];
  total: number;
}

type WireCell = Record<string, WireNumber[]>;
interface WireGroups {
  values: Record<string, (string | null)[]>;
  runs: number[];
  filters: (string | null)[];
  metrics: Record<string, WireCell>;
  texts?: Record<string, { distinct: number[]; missing: number[]; values: string[][] }>;
  total: number;
}

const NONE = "\u2205";
/** A group's id from its values; "|" stands between them and no "~" is in it, which the address needs itself. */
export const groupId = (values: readonly (string | null)[]) => values.map((v) => (v === null ? NONE : encodeURIComponent(v))).join("|").replaceAll("~", "%7E");

const cellAt = (cell: WireCell, i: number): GroupCell => ({
  count: Number(cell["count"]?.[i] ?? 0), mean: toNumber(cell["mean"]?.[i]), std: toNumber(cell["std"]?.[i]),
  min: toNumber(cell["min"]?.[i]), max: toNumber(cell["max"]?.[i]), median: toNumber(cell["median"]?.[i]),
});

export function toGroups(body: WireGroups): Group[] {
  const columns = Object.values(body.values);
  return body.runs.map((runs, i) => {
    const values = columns.map((column) => column[i] ?? null);
    return {
      id: groupId(values), values, runs, filter: body.filters[i] ?? null,
      metrics: Object.fromEntries(Object.entries(body.metrics).map(([key, cell]) => [key, cellAt(cell, i)])),
      texts: Object.fromEntries(Object.entries(body.texts ?? {}).map(([key, cell]) => [key, { distinct: cell.distinct[i]!, missing: cell.missing[i]!, values: cell.values[i]! }])),
    };
  });
}

const MOST_GROUPS = 5000;
/** The most measures and texts that one question takes. */
const MOST_MEASURES = 50;
const MOST_TEXTS = 8;

/** What of the groups is looked at: measures of metrics, and columns of texts. */
interface Wanted {
  metrics: readonly string[];
  texts: readonly string[];
}
const NOTHING: Wanted = { metrics: [], texts: [] };
const joined = (a: readonly string[], b: readonly string[], most: number) => [...new Set([...a, ...b])].slice(0, most);

export async function queryGroups(query: GroupQuery): Promise<GroupPage> {
  const body = await post<WireGroups>(`${NATIVE}/runs/groups`, { ...query, max_results: MOST_GROUPS });
  return { groups: toGroups(body), total: body.total };
}

export type Item = { kind: "run"; row: Row; group: string | null } | { kind: "group"; group: Group; open: boolean };
export interface GroupState {
  groups: Group[];
  total: number;
  loading: boolean;
  fresh: boolean;
  error: Error | null;
  version: number;
}

/** A column of texts among measures, which may have the same name. */
const textMark = (column: string) => `\u0000${column}`;

/** Groups of runs, and the runs of those that are open, as one list of lines. */
export class GroupStore {
  readonly state = createStore<GroupState>({ groups: [], total: 0, loading: true, fresh: true, error: null, version: 0 });
  private inner = new Map<string, { key: string; store: TableStore; off: () => void }>();
  private starts: number[] = [0];
  private open: ReadonlySet<string> = new Set();
  private runs: TableQuery | null = null;
  private query: GroupQuery | null = null;
  /** What the groups at hand have, measures and texts, and what is looked at. */
  private have: ReadonlySet<string> = new Set();
  private seen = NOTHING;
  private filling = false;
  private turn = 0;
  /** Something has changed while a search was under way: its answer may be older than that. */
  private missed = false;

  constructor(private readonly fetch = queryGroups, private readonly fetchRuns = queryTable) {}

  /**
   * Starts a new search; `runs` is how the runs of an open group are asked for, before its own filter. Measures and
   * texts beyond those of the query come as `need` names them.
   */
  async load(query: GroupQuery, runs: TableQuery): Promise<void> {
    const turn = ++this.turn;
    this.runs = runs;
    this.missed = false;
    this.update({ loading: true });
    const metrics = joined(query.metrics, this.seen.metrics, MOST_MEASURES);
    const texts = joined(query.texts ?? [], this.seen.texts, MOST_TEXTS);
    try {
      const page = await this.fetch({ ...query, metrics, texts });
      if (turn !== this.turn) return;
      this.query = query;
      this.have = new Set([...metrics, ...texts.map(textMark)]);
      this.update({ ...page, loading: false, fresh: false, error: null });
      this.arrange();
      void this.fill();
      if (this.missed) await this.refresh();
    } catch (error) {
      if (turn === this.turn) this.update({ loading: false, error: error as Error });
    }
  }

  /** Fetches what is looked at and what the groups lack. */
  private async fill(): Promise<void> {
    const metrics = this.seen.metrics.filter((measure) => !this.have.has(measure)).slice(0, MOST_MEASURES);
    const texts = this.seen.texts.filter((column) => !this.have.has(textMark(column))).slice(0, MOST_TEXTS);
    if (!(metrics.length + texts.length) || this.filling || !this.query || this.state.get().loading) return;
    this.filling = true;
    const turn = this.turn;
    try {
      const { groups } = await this.fetch({ ...this.query, metrics, texts, order_by: [] });
      if (turn === this.turn) this.merge(groups, [...metrics, ...texts.map(textMark)]);
    } catch (error) {
      if (turn === this.turn) this.update({ error: error as Error });
      return;
    } finally {
      this.filling = false;
    }
    await this.fill();
  }

  private merge(found: readonly Group[], marks: readonly string[]): void {
    const known = new Map(found.map((group) => [group.id, group]));
    this.have = new Set([...this.have, ...marks]);
    this.update({ groups: this.state.get().groups.map((group) => {
      const more = known.get(group.id);
      return { ...group, metrics: { ...group.metrics, ...more?.metrics }, texts: { ...group.texts, ...more?.texts } };
    }) });
  }

  async refresh(): Promise<void> {
    if (this.state.get().loading) this.missed = true;
    if (!this.query || !this.runs || this.state.get().loading) return;
    await this.load(this.query, this.runs);
    await Promise.all([...this.inner.values()].map(({ store }) => store.refresh(null, () => false)));
  }

  setOpen(open: readonly string[]): void {
    this.open = new Set(open);
    this.arrange();
  }

  get count(): number {
    return this.starts[this.starts.length - 1]!;
  }

  at(index: number): Item | undefined {
    const place = this.place(index);
    if (!place) return undefined;
    const { group, inside } = place;
    if (inside < 0) return { kind: "group", group, open: this.open.has(group.id) };
    const row = this.inner.get(group.id)?.store.at(inside);
    return row && { kind: "run", row, group: group.id };
  }

  async need(first: number, last: number, columns: readonly string[], seen: Wanted = this.seen): Promise<void> {
    this.seen = seen;
    const wanted = new Map<string, [number, number]>();
    for (let i = Math.max(0, first); i <= Math.min(last, this.count - 1); i++) {
      const { group, inside } = this.place(i)!;
      if (inside < 0) continue;
      const range = wanted.get(group.id);
      wanted.set(group.id, [Math.min(range?.[0] ?? inside, inside), inside]);
    }
    await Promise.all([this.fill(), ...[...wanted].map(([id, [from, to]]) => this.inner.get(id)?.store.need(from, to, columns))]);
  }

  private place(index: number): { group: Group; inside: number } | null {
    if (index < 0 || index >= this.count) return null;
    let [low, high] = [0, this.starts.length - 2];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return { group: this.state.get().groups[low]!, inside: index - this.starts[low]! - 1 };
  }

  private arrange(): void {
    const { groups } = this.state.get();
    this.starts = [0];
    for (const group of groups) this.starts.push(this.starts[this.starts.length - 1]! + 1 + (this.open.has(group.id) ? group.runs : 0));
    for (const group of groups) if (this.open.has(group.id)) this.follow(group);
    for (const [id, { off }] of this.inner)
      if (!this.open.has(id)) {
        off();
        this.inner.delete(id);
      }
    this.update({});
  }

  private follow(group: Group): void {
    if (!this.runs || group.filter === null) return;
    const filter = this.runs.filter ? `(${this.runs.filter}) AND ${group.filter}` : group.filter;
    const query = { ...this.runs, filter };
    const key = JSON.stringify(query);
    const known = this.inner.get(group.id);
    if (known?.key === key) return;
    const store = known?.store ?? new TableStore(this.fetchRuns);
    const off = known?.off ?? store.state.subscribe(() => this.update({}));
    this.inner.set(group.id, { key, store, off });
    void store.load(query);
  }

  private update(part: Partial<GroupState>): void {
    const now = this.state.get();
    this.state.set({ ...now, ...part, version: now.version + 1 });
  }
}
