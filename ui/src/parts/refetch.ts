import type { Query, QueryClient } from "@tanstack/react-query";

/**
 * Fetches queries anew, by the first word of their key. Those under way are left to finish, and then asked once more:
 * what they bring may be older than what has changed.
 */
export async function refetch(client: QueryClient, names: string[]): Promise<void> {
  const named = ({ queryKey }: Query) => names.includes(String(queryKey[0]));
  const early = new Set(client.getQueryCache().findAll({ predicate: named, fetchStatus: "fetching", type: "active" }));
  await client.invalidateQueries({ predicate: named }, { cancelRefetch: false });
  if (early.size) await client.refetchQueries({ predicate: (query) => early.has(query), type: "active" }, { cancelRefetch: false });
}
