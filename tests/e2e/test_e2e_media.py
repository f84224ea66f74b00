"""Pictures, histograms, matrices and curves of a run in a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.servers import Server

NewPage = Callable[..., Page]
AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
TRAINING = """
import logbuch
with logbuch.start_run(run_name="media") as run:
    for step in (0, 10, 20):
        logbuch.log_histogram("layer1/weights", [step + n / 100 for n in range(100)], step)
    for step in (10, 20):
        logbuch.log_confusion_matrix(matrix=[[6, step], [0, 4]], labels=["cat", "dog"], key="eval/confusion", step=step)
    true, score = ["cat", "dog", "dog", "cat"], [0.2, 0.9, 0.4, 0.3]
    logbuch.log_pr_curve(true, score, labels=["cat", "dog"], key="eval/pr", step=20)
    logbuch.log_roc_curve(true, score, labels=["cat", "dog"], key="eval/roc", step=20)
    logbuch.log_audio([0.0] * 800, key="tone", step=0, sample_rate=8000)
print(run.info.run_id)
"""


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The addresses of a run with media and of one without."""
    folder = tmp_path_factory.mktemp("media")
    server = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    home = {"LOGBUCH_TRACKING_URI": server.url, "LOGBUCH_DIR": str(folder / "home")}
    trained = subprocess.run(
        [sys.executable, "-c", TRAINING], env=os.environ | home, cwd=folder, check=True, capture_output=True, text=True
    )
    empty = server.new_run("0", run_name="nothing")
    yield f"{server.url}/e/0/runs/{trained.stdout.split()[-1]}", f"{server.url}/e/0/runs/{empty}"
    server.stop()


def open_media(page: Page, run: str, query: str = "") -> Page:
    page.goto(f"{run}/media{query}")
    return page


def test_all_series_move_along_their_steps_together(logged: tuple[str, str], new_page: NewPage) -> None:
    page = open_media(new_page(), logged[0])
    cards = page.get_by_test_id("media-card")
    expect(cards).to_have_count(5)
    expect(page.get_by_role("link", name="Media 5")).to_be_visible()
    weights = cards.filter(has_text="layer1/weights")
    expect(weights.get_by_role("img", name="layer1/weights at step 20: 100 values")).to_be_visible()
    confusion = cards.filter(has_text="eval/confusion")
    expect(confusion).to_contain_text("33.3% right, 10 of 30")
    expect(confusion).to_contain_text("cat taken for dog (20, 76.9%)")
    expect(cards.filter(has_text="eval/pr").get_by_role("img", name="dog: AP 1")).to_be_visible()
    expect(cards.filter(has_text="eval/roc").get_by_role("img", name="dog: AUC 1")).to_be_visible()
    page.get_by_role("button", name="Previous step").click()
    expect(weights.get_by_role("img", name="layer1/weights at step 10: 100 values")).to_be_visible()
    expect(confusion).to_contain_text("50% right, 10 of 20")
    expect(page).to_have_url(re.compile(re.escape("step=10")))
    page.reload()
    expect(confusion).to_contain_text("50% right, 10 of 20")
    page.get_by_role("button", name="Latest step").click()
    expect(confusion).to_contain_text("33.3% right, 10 of 30")
    expect(page).not_to_have_url(re.compile(re.escape("step=")))


def test_a_series_is_found_enlarged_and_opened_as_its_file(logged: tuple[str, str], new_page: NewPage) -> None:
    page = open_media(new_page(), logged[0])
    cards = page.get_by_test_id("media-card")
    page.get_by_label("Search media").fill("confusion")
    expect(cards).to_have_count(1)
    page.get_by_role("button", name="Enlarge: eval/confusion").click()
    expect(page).to_have_url(re.compile(re.escape("open=confusion-matrix/eval/confusion")))
    shares = page.get_by_label("Shares of the true class")
    shares.check()
    expect(cards.get_by_role("cell", name="76.9%")).to_be_visible()
    page.locator("body").press("Escape")
    expect(page.get_by_role("button", name="Enlarge: eval/confusion")).to_be_visible()
    page.get_by_role("link", name="Show in artifacts: eval/confusion").click()
    expect(page.get_by_test_id("preview")).to_contain_text("33.3% right, 10 of 30")
    page.go_back()
    page.get_by_label("Search media").fill("nothing like it")
    expect(page.get_by_text("No media match")).to_be_visible()


def test_a_run_without_media_says_how_they_come(logged: tuple[str, str], new_page: NewPage) -> None:
    page = open_media(new_page(), logged[1])
    expect(page.get_by_text("No media have been logged")).to_be_visible()
    expect(page.get_by_text("logbuch.log_confusion_matrix(y_true, y_pred)")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_media_are_clean_and_fit_a_phone(
    logged: tuple[str, str], new_page: NewPage, screenshots: Path, theme: str
) -> None:
    page = open_media(new_page(theme), logged[0])
    expect(page.locator(".hist")).to_be_visible()
    expect(page.locator(".curves")).to_have_count(2)
    page.screenshot(path=screenshots / f"media-{theme}.png")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
    assert [(item["id"], [node["html"][:200] for node in item["nodes"]][:3]) for item in found["violations"]] == []
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("html")).to_have_js_property("scrollWidth", 390)
    page.screenshot(path=screenshots / f"media-{theme}-phone.png")
