"""Waiting for what a page does, where its state is no element that Playwright's ``expect`` could watch."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import FloatRect, Locator, Page, expect

PATIENCE_MS = 60_000
"""How long a page may take for anything: a busy machine is no fault of it."""
STEADY_LOOKS = 5


def until(page: Page, true: Callable[[], object]) -> None:
    """Lets the page go on until something is true; fails when that never comes."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        page.wait_for_timeout(50)


def settled(page: Page) -> None:
    """Waits until nothing that has begun is on its way: no placeholder, no chart and no table without its data."""
    expect(page.locator(".skeleton, .progress, .plotbox[aria-busy=true]")).to_have_count(0)


def steady(page: Page, target: Locator) -> FloatRect:
    """Where something is, once it stays there: what comes above it, however late, moves it away from the mouse."""
    settled(page)
    looks: list[FloatRect | None] = []

    def rests() -> bool:
        looks.append(target.bounding_box())
        return looks[-1] is not None and len(looks) >= STEADY_LOOKS and len(set(map(repr, looks[-STEADY_LOOKS:]))) == 1

    until(page, rests)
    box = looks[-1]
    assert box is not None
    return box
