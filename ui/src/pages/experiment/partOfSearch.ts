import { allIds, type TableQuery } from "../../api/table";
import { formatCount } from "../../model/format";
import { locale, t } from "../../i18n";
import { packIds, type Part } from "../../url/idset";

/** As many as the server takes by name, and as an address holds. */
const MOST = 80_000;

/** How an address names the selected runs of a search: null for all of them, else by the fewer of those in it and those not. */
export async function partOfSearch(selected: ReadonlySet<string>, total: number, query: TableQuery): Promise<Part | null> {
  if (selected.size >= total) return null;
  if (selected.size <= total / 2) return { only: packIds(checked([...selected])) };
  const all = await allIds({ ...query, order_by: [] });
  return { but: packIds(checked(all.filter((id) => !selected.has(id)))) };
}

function checked(ids: string[]): string[] {
  if (ids.length > MOST) throw new Error(t.tooManyToCompare(formatCount(MOST, locale)));
  return ids;
}
