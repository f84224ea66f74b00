import { expect, it } from "vitest";
import { de } from "./de";
import { en } from "./en";
import { preferredLanguage } from "./index";

it("has every word in both languages", () => {
  expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
  for (const [key, word] of Object.entries(en)) expect(typeof de[key as keyof typeof de]).toBe(typeof word);
});

it("chooses the language", () => {
  expect(preferredLanguage(null, ["fr", "de-AT", "en"])).toBe("de");
  expect(preferredLanguage("en", ["de"])).toBe("en");
  expect(preferredLanguage("xx", ["fr"])).toBe("en");
});
