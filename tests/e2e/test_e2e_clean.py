"""Every page, and every menu, pane and dialog that a button opens: axe finds nothing in either theme, nothing reaches
out of the window, and Escape gives the focus back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support import places, walk
from support.places import PLACES, Told, enter

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with places.told(tmp_path_factory.mktemp("told")) as made:
        yield made


def themed(page: Page, theme: str) -> None:
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)


@pytest.mark.parametrize("place", PLACES)
def test_a_page_and_all_it_opens_are_clean(told: Told, new_page: NewPage, screenshots: Path, place: str) -> None:
    page = new_page()
    enter(page, told, place)
    for theme in ("light", "dark"):
        themed(page, theme)
        page.screenshot(path=screenshots / f"everyone-{place}-{theme}.png")
        assert walk.violations(page) == [], theme
    for _, name in walk.openers(page):
        for theme in ("light", "dark"):
            themed(page, theme)
            assert walk.violations(page, walk.FLOATING) == [], (name, theme)
        assert walk.outside(page) == [], name


DIALOGS = {
    "palette": ("charts", ["Control+k"]),
    "keys": ("settings", ["?"]),
    "new chart": ("charts", "New chart"),
    "settings of a chart": ("charts", "Menu of chart eval/loss", "Settings…"),
    "a chart as a table": ("charts", "Menu of chart eval/loss", "Show as table"),
    "tags": ("run", "Edit tags"),
    "name": ("run", "Rename run"),
    "delete": ("run", "More", "Delete run"),
    "new experiment": ("home", "New experiment"),
    "new model": ("models", "New model"),
    "alias": ("model-page", "Actions for Version 1", "Set alias…"),
}
"""Dialogs by their place, and the keys or the buttons and entries that open them."""


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_is_clean_and_gives_the_focus_back(told: Told, new_page: NewPage, name: str) -> None:
    place, *way = DIALOGS[name]
    page = new_page()
    enter(page, told, str(place))
    for step in way:
        if isinstance(step, list):
            page.keyboard.press(step[0])
        elif page.locator(".pop").count():
            page.get_by_role("menuitem", name=step, exact=True).press("Enter")
        else:
            page.get_by_role("button", name=step, exact=True).press("Enter")
            if len(way) > 1:
                expect(page.locator(".pop")).to_be_visible()
    expect(page.locator("dialog[open]")).to_be_visible()
    for theme in ("light", "dark"):
        themed(page, theme)
        assert walk.violations(page, "dialog[open]") == [], theme
    assert walk.outside(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
