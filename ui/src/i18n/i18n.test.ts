import { expect, it } from "vitest";
import { de } from "./de";
import { en } from "./en";
import { keyNames, preferredLanguage } from "./index";

/** Words that are the same in both languages: names, terms that stay, and what German has taken over. */
const SAME = new Set(("AP|AUC|Alias|Band|Box|Branch|Code|Commit|CSV|Experiment|GPU|Hardware|Linear|Live|Loss|Max|Maximum|Min|Minimum|NaN, Inf|Name|optional|Production|Python|Recall|Precision|Registry|"
  + "Repository|Robust|Run|Runs|Server|Staging|Status|Tag|Tags|Standard|Version").split("|").map((word) => word.toLowerCase()));

/** All plain words of a language by their place; functions are left out. */
function words(messages: object, place = ""): [string, string][] {
  return Object.entries(messages).flatMap(([key, value]): [string, string][] =>
    typeof value === "string" ? [[place + key, value]] : typeof value === "object" && value !== null ? words(value as object, `${place}${key}.`) : []);
}

it("has every word in both languages", () => {
  expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
  for (const [key, word] of Object.entries(en)) expect(typeof de[key as keyof typeof de]).toBe(typeof word);
  const german = new Map(words(de));
  for (const [place] of words(en)) expect(german.get(place), place).toBeTruthy();
});

it("leaves nothing untranslated", () => {
  const german = new Map(words(de));
  const left = words(en).filter(([place, word]) => german.get(place) === word && /[a-z]{3}/i.test(word) && !SAME.has(word.toLowerCase()));
  expect(left).toEqual([]);
});

it("calls keys by their names", () => {
  expect(keyNames("Ctrl K")).toEqual(["Ctrl", "K"]);
  expect(de.keyWords).toMatchObject({ Space: "Leertaste", Ctrl: "Strg" });
});

it("chooses the language", () => {
  expect(preferredLanguage(null, ["fr", "de-AT", "en"])).toBe("de");
  expect(preferredLanguage("en", ["de"])).toBe("en");
  expect(preferredLanguage("xx", ["fr"])).toBe("en");
});
