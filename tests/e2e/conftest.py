"""A browser, and a server with runs worth looking at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from support.pages import PATIENCE_MS
from support.seeds import Seeded, million, names, train
from support.servers import Server

SCREENSHOTS = Path(__file__).parents[2] / "test-output" / "screenshots"
CHROMIUM = os.environ.get("LOGBUCH_TEST_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


# Not for the whole session: while it lasts Playwright keeps an event loop running in this thread, and tests of other
# modules want one of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages; any error in the console fails the test."""
    contexts: list[Any] = []
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # A refused request is shown by the page itself and is part of some tests.
        if message.type == "error" and "Failed to load resource" not in message.text:
            said.append(message.text)

    def make(theme: str = "light", width: int = 1440, height: int = 900, strict: bool = True) -> Page:
        context = browser.new_context(
            color_scheme=theme,  # type: ignore[arg-type]
            viewport={"width": width, "height": height},
            locale="en-GB",
            timezone_id="UTC",
            reduced_motion="reduce",  # nothing is judged, or clicked, on its way
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        if strict:  # what a logged page says in its frame is its own affair
            page.on("console", note)
        page.on("pageerror", lambda error: said.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture(scope="session")
def screenshots() -> Path:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """A LoRA sweep of twelve runs, one of which diverges, and a run with a million points."""
    folder = tmp_path_factory.mktemp("seeded")
    server = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    experiment_id = server.post("experiments/create", {"name": "aws-rag-qa/mistral-lora"}).json()["experiment_id"]
    server.post("experiments/create", {"name": "storyteller"})
    runs = {name: train(server, experiment_id, number, name) for number, name in enumerate(names())}
    yield Seeded(server, experiment_id, runs, million(server))
    server.stop()
