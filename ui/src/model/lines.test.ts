import { describe, expect, it } from "vitest";
import { contentHeight, isScaled, lastTop, nextMatch, scrollFor, TALLEST, topAt, visible } from "./lines";

const short = { count: 1000, row: 18, view: 540 };
const long = { count: 2_000_000, row: 18, view: 540 };

describe("lines in a box", () => {
  it("stand where they are as long as that is possible", () => {
    expect(isScaled(short)).toBe(false);
    expect(contentHeight(short)).toBe(18_000);
    expect(topAt(short, 180)).toBeCloseTo(10);
    expect(scrollFor(short, 10)).toBeCloseTo(180);
  });

  it("reach both ends of a list that no box would hold", () => {
    expect(isScaled(long)).toBe(true);
    expect(contentHeight(long)).toBe(TALLEST);
    expect(topAt(long, 0)).toBe(0);
    expect(topAt(long, TALLEST)).toBe(lastTop(long));
    expect(visible(long, lastTop(long)).end).toBe(long.count);
  });

  it.each([0, 1, 777_777.5, 1_999_970])("come back to the same line: %d", (top) => expect(topAt(long, scrollFor(long, top))).toBeCloseTo(top, 3));

  it("fit without scrolling if they are few", () => {
    const few = { count: 3, row: 18, view: 540 };
    expect([topAt(few, 10), scrollFor(few, 2), lastTop(few)]).toEqual([0, 0, 0]);
    expect(visible(few, 0)).toEqual({ begin: 0, end: 3, shift: 0 });
  });

  it("are drawn a little beyond the view", () => expect(visible(short, 100.5)).toEqual({ begin: 96, end: 135, shift: -81 }));
});

describe("nextMatch", () => {
  it.each([[3, true, 5], [9, true, 2], [5, false, 2], [2, false, 9], [5, true, 9]] as const)("%d %s", (from, forward, to) => expect(nextMatch([2, 5, 9], from, forward)).toBe(to));
  it("finds nothing in nothing", () => expect(nextMatch([], 1, true)).toBeNull());
});
