/** Lists in an address. Keys may hold commas; "~" stands between them. */
export const split = (text: string) => text.split("~").filter(Boolean);
