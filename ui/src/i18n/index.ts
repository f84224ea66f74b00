import { createStore } from "../model/store";
import { en, type Messages } from "./en";

export type Language = "en" | "de";

/** The words of the page in the chosen language. A live binding: every render reads the current one. */
export let t: Messages = en;
export let locale: Language = "en";
export const language = createStore<Language>("en");

/** The wish from the settings, else the browser's first language that we speak. */
export function preferredLanguage(wish: string | null, spoken: readonly string[]): Language {
  if (wish === "de" || wish === "en") return wish;
  for (const tag of spoken) {
    if (/^de\b/i.test(tag)) return "de";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "en";
}

export async function loadLanguage(next: Language): Promise<void> {
  t = next === "de" ? (await import("./de")).de : en;
  locale = next;
  document.documentElement.lang = next;
  language.set(next);
}

/** The keys of a shortcut by their names in the language, such as "Strg" for "Ctrl". */
export const keyNames = (keys: string): string[] => keys.split(" ").map((key) => t.keyWords[key] ?? key);
