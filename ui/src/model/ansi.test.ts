import { describe, expect, it } from "vitest";
import { markSpans, nearest, parseAnsi } from "./ansi";

const E = "\u001b[";

describe("parseAnsi", () => {
  it.each([
    ["plain", [{ text: "plain", look: "" }]],
    ["", []],
    [`${E}31mred${E}0m rest`, [{ text: "red", look: "f-red" }, { text: " rest", look: "" }]],
    [`${E}1;92mok${E}22m still`, [{ text: "ok", look: "f-green b" }, { text: " still", look: "f-green" }]],
    [`${E}38;5;196mA${E}38;2;0;0;255mB${E}39mC`, [{ text: "A", look: "f-red" }, { text: "B", look: "f-blue" }, { text: "C", look: "" }]],
    [`${E}41;37mx${E}49m`, [{ text: "x", look: "f-white k-red" }]],
    [`a${E}31m${E}0mb`, [{ text: "ab", look: "" }]],
    [`${E}2Kgone\u001b]8;;http://x\u0007link\u001b]8;;\u001b\\`, [{ text: "gonelink", look: "" }]],
    [`${E}4mu${E}24m${E}m.`, [{ text: "u", look: "u" }, { text: ".", look: "" }]],
    [`${E}38mx`, [{ text: "x", look: "f-black" }]],
  ])("%j", (line, spans) => expect(parseAnsi(line)).toEqual(spans));
});

describe("nearest", () => {
  it.each([[[255, 0, 0], "red"], [[250, 220, 30], "yellow"], [[40, 40, 45], "black"], [[200, 200, 210], "white"], [[0, 200, 200], "cyan"]] as const)("%j", ([r, g, b], name) => expect(nearest(r, g, b)).toBe(name));
});

describe("markSpans", () => {
  it("cuts across spans and ignores case", () => {
    const spans = parseAnsi(`The ${E}31mLo${E}0mss is loss`);
    expect(markSpans(spans, "LOSS")).toEqual([
      { text: "The ", look: "" }, { text: "Lo", look: "f-red", hit: true }, { text: "ss", look: "", hit: true }, { text: " is ", look: "" }, { text: "loss", look: "", hit: true },
    ]);
    expect(markSpans(spans, "nothing")).toBe(spans);
    expect(markSpans(spans, "")).toBe(spans);
  });
});
