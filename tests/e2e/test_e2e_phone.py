"""Every page on a phone and in German: nothing is wider than the window, menus and panes stay in it, and no English
word is left over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from support import places, walk
from support.places import PLACES, WRITTEN, Told, enter

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with places.told(tmp_path_factory.mktemp("told")) as made:
        yield made


@pytest.mark.parametrize("place", PLACES)
def test_a_page_fits_a_phone_and_speaks_german(told: Told, new_page: NewPage, screenshots: Path, place: str) -> None:
    page = new_page("dark", 390, 844)
    page.add_init_script("localStorage.setItem('logbuch.lang', 'de')")
    enter(page, told, place)
    page.screenshot(path=screenshots / f"everyone-{place}-phone.png")
    assert walk.overflow(page) <= 0
    assert walk.english(walk.words(page), WRITTEN) == []
    assert walk.violations(page) == []
    for _, name in walk.openers(page):
        assert walk.outside(page) == [], name
        assert walk.english(walk.words(page, walk.FLOATING), WRITTEN) == [], name
