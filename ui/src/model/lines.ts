/** Where lines of one height stand in a scrolled box. Browsers give up on boxes of tens of millions of pixels: a longer
 * list scrolls in a shorter box, in which a place stands for a share of the whole. */

export const TALLEST = 8_000_000;

export interface Box {
  count: number;
  row: number;
  view: number;
}

/** The height of the box's content in px. */
export const contentHeight = ({ count, row }: Box): number => Math.min(count * row, TALLEST);

/** Whether a place in the box stands for a share. */
export const isScaled = ({ count, row }: Box): boolean => count * row > TALLEST;

/** The furthest index, with fractions, that can be at the top. */
export const lastTop = ({ count, row, view }: Box): number => Math.max(0, count - view / row);

/** The index at the top, with fractions, for a scroll position. */
export function topAt(box: Box, scroll: number): number {
  const room = contentHeight(box) - box.view;
  if (room <= 0) return 0;
  return Math.min(1, Math.max(0, scroll / room)) * lastTop(box);
}

/** The scroll position for an index at the top. */
export function scrollFor(box: Box, top: number): number {
  const last = lastTop(box);
  return last <= 0 ? 0 : (Math.min(last, Math.max(0, top)) / last) * Math.max(0, contentHeight(box) - box.view);
}

/** The indices to draw, `end` exclusive, and how far the first one stands from the view's upper edge, in px. */
export function visible(box: Box, top: number, extra = 4): { begin: number; end: number; shift: number } {
  const begin = Math.max(0, Math.floor(top) - extra);
  const end = Math.min(box.count, Math.ceil(top + box.view / box.row) + extra);
  return { begin, end: Math.max(begin, end), shift: (begin - top) * box.row };
}

/** The number of the match to go to from a line, around the end. */
export function nextMatch(numbers: readonly number[], from: number, forward: boolean): number | null {
  if (!numbers.length) return null;
  if (forward) return numbers.find((n) => n > from) ?? numbers[0]!;
  return numbers.findLast((n) => n < from) ?? numbers.at(-1)!;
}
