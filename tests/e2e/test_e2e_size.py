"""What a browser has to load before a page is there: scripts, compressed as they travel."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from logbuch import server as package
from support import places
from support.places import PLACES, Told, enter

NewPage = Callable[..., Page]
INITIAL, FIRST_VIEW = 200_000, 230_000
"""Bytes: of the scripts that the frame names, and of all that a page asks for until its first view stands, notes in
Markdown included."""
BUILT = Path(package.__file__).parent / "page"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with places.told(tmp_path_factory.mktemp("sizes")) as made:
        yield made


def size(path: str) -> int:
    return len(gzip.compress((BUILT / path).read_bytes()))


@pytest.mark.parametrize("place", ["experiment", "run", "compare"])
def test_the_scripts_of_a_page_are_small(told: Told, new_page: NewPage, place: str) -> None:
    assert place in PLACES
    page = new_page()
    scripts: dict[str, str | None] = {}
    page.on("response", lambda answer: scripts.update({answer.url: answer.headers.get("content-encoding")}))
    enter(page, told, place)
    loaded = {url: how for url, how in scripts.items() if url.endswith(".js")}
    assert set(loaded.values()) == {"gzip"}
    assert sum(map(size, (url.removeprefix(f"{told.server.url}/") for url in loaded))) < FIRST_VIEW, loaded


def test_the_frame_names_few_scripts() -> None:
    named = re.findall(r'(?:src|href)="\./([^"]+\.js)"', (BUILT / "index.html").read_text(encoding="utf-8"))
    assert len(named) > 2
    assert sum(map(size, named)) < INITIAL, named
