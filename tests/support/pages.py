"""Waiting for what a page does, where its state is no element that Playwright's ``expect`` could watch."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page

PATIENCE_MS = 60_000
"""How long a page may take for anything: a busy machine is no fault of it."""


def until(page: Page, true: Callable[[], object]) -> None:
    """Lets the page go on until something is true; fails when that never comes."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        page.wait_for_timeout(50)
