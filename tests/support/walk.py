"""Walking over the page as everybody may meet it: what axe says of it, whether it fits, which words it has, and every
menu and dialog that a button says it opens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SAME_OPENERS = 2
"""Of buttons that look alike, such as those of a table's rows, so many are pressed."""
FLOATING = ".pop, dialog[open]"

# A button that opens something says so. It gets a number, since others may come beside it meanwhile.
_OPENERS = """most => {
  const seen = new Map();
  return [...document.querySelectorAll('button[aria-haspopup]')].flatMap((button, at) => {
    const kind = button.className + (button.dataset.testid ?? '');
    const many = seen.get(kind) ?? 0;
    const { width, height } = button.getBoundingClientRect();
    if (many >= most || !width || !height || !button.checkVisibility({ visibilityProperty: true })) return [];
    seen.set(kind, many + 1);
    button.dataset.walked = String(at);
    return [at];
  });
}"""
_WORDS = """(among) => {
  const root = document.querySelector(among) ?? document.body;
  const words = [];
  const text = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (text.nextNode()) {
    const inside = text.currentNode.parentElement;
    const code = inside?.closest('script, style, code, pre');
    if (inside && !code && inside.checkVisibility()) words.push(text.currentNode.data);
  }
  for (const node of [root, ...root.querySelectorAll('*')])
    for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
      if (node.getAttribute(name)) words.push(node.getAttribute(name));
  return [...new Set(words.map((one) => one.trim()).filter(Boolean))];
}"""
_OUTSIDE = """(among) => [...document.querySelectorAll(among)].flatMap((node) => {
  const { left, right, top, bottom } = node.getBoundingClientRect();
  const out = left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1;
  return out ? [node.outerHTML.slice(0, 200)] : [];
})"""


def violations(page: Page, among: str | None = None) -> list[Any]:
    """What axe finds on the page, or in a part of it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    inside = "document" if among is None else f"document.querySelector({json.dumps(among)})"
    found = page.evaluate(f"axe.run({inside}, {{runOnly: {json.dumps(RULES)}, resultTypes: ['violations']}})")
    return [(item["id"], [node["html"][:200] for node in item["nodes"]][:3]) for item in found["violations"]]


def openers(page: Page) -> Iterator[tuple[Locator, str]]:
    """Opens one menu or dialog after the other by its button, as the keyboard does; gives the button and what is its
    name. Each is closed again by Escape, which gives the focus back."""
    for at in page.evaluate(_OPENERS, SAME_OPENERS):
        button = page.locator(f"button[data-walked='{at}']")
        if not button.count():  # charts that a step before has scrolled out of view are put away
            continue
        name = button.get_attribute("aria-label") or button.inner_text()
        button.focus()
        page.keyboard.press("Enter")
        floating = page.locator(FLOATING).first
        expect(floating, name).to_be_visible()
        if floating.locator("input, button:not(:disabled), a").count():
            expect(page.locator(".pop:focus-within, dialog[open]:focus-within"), name).to_have_count(1)
        yield button, name
        page.keyboard.press("Escape")
        expect(page.locator(FLOATING), name).to_have_count(0)
        expect(button, name).to_be_focused()


def words(page: Page, among: str = "body") -> list[str]:
    """All that is to be read: text, names, titles and placeholders, without code."""
    return list(page.evaluate(_WORDS, among))


def outside(page: Page, among: str = FLOATING) -> list[str]:
    """What floats and reaches out of the window."""
    return list(page.evaluate(_OUTSIDE, among))


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


_ENGLISH = re.compile(
    r"\b(the|of|and|is|are|no|not|with|without|this|these|that|to|for|from|by|at|yes|show|hide|open|close|search|save|"
    r"delete|edit|copy|choose|select|more|less|first|value|values|settings|step|steps|finished|running|failed|stopped|"
    r"columns|download|upload|move|menu of|drag|click|nothing|none|all|only|best|worst|lower|higher|better|last|newest|"
    r"created|changed|removed|reset|undo|light|dark|loading|could|server not|up to date|new|when|where|what|how|"
    r"parameters|files|size|notes|compare)\b",
    re.IGNORECASE,
)


def english(found: list[str], data: list[str]) -> list[str]:
    """Words that German does not have, in what is read of the page; ``data`` is what users wrote."""
    left = []
    for text in found:
        own = text
        for written in sorted(data, key=len, reverse=True):
            own = own.replace(written, "")
        if _ENGLISH.search(own):
            left.append(text)
    return left
