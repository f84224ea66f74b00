"""Home: what runs, what needs a look, the experiments with their best and their last days; pages that are not there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.seeds import send
from support.servers import Server

NewPage = Callable[..., Page]
AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Runs of every state that began now and three days ago."""
    folder = tmp_path_factory.mktemp("busy")
    server = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    experiment = server.post("experiments/create", {"name": "vision/digits"}).json()["experiment_id"]
    now = time.time_ns() // 1_000_000
    states = {
        "good": "FINISHED",
        "better": "FINISHED",
        "stopped": "KILLED",
        "broken": "FAILED",
        "going": None,
        "mute": None,
    }
    for name, status in states.items():
        start = now - (3 * 86_400_000 if name == "good" else 0)
        run_id = server.new_run(experiment, run_name=name, start_time=start)
        value = {"better": 0.25}.get(name, 0.5)
        points = [{"key": "eval/loss", "value": value, "timestamp": start + step, "step": step} for step in range(3)]
        if name != "mute":
            send(server, run_id, metrics=points)
        if status:
            server.post("runs/update", {"run_id": run_id, "status": status, "end_time": start + 1000})
    judged = server.post("experiments/create", {"name": "judged"}).json()["experiment_id"]
    run_id = server.new_run(judged, run_name="judging", start_time=now)
    values = {"eval/loss": (0.5, 0.5, 0.5), "quality": (1.0, 9.0, 2.0)}
    points = [
        {"key": key, "value": value, "timestamp": now + step, "step": step}
        for key, series in values.items()
        for step, value in enumerate(series)
    ]
    send(server, run_id, metrics=points)
    for key, value in (
        ("mlflow.experiment.primaryMetric.name", "quality"),
        ("logbuch.reading.quality", "best"),
        ("logbuch.direction.quality", "higher"),
    ):
        server.post("experiments/set-experiment-tag", {"experiment_id": judged, "key": key, "value": value})
    server.post("registered-models/create", {"name": "digits-model"})
    yield server
    server.stop()


def test_home_tells_what_runs_what_broke_and_what_was_best(busy: Server, new_page: NewPage) -> None:
    page = new_page()
    page.goto(busy.url)
    row = page.get_by_test_id("experiment-row").filter(has_text="digits")
    expect(row).to_contain_text("eval/loss 0.2500")
    expect(row.get_by_role("img", name="6 runs in 14 days")).to_be_visible()
    expect(page.get_by_test_id("fortnight")).to_contain_text("7 runs, 1 failed")
    look = page.get_by_test_id("look-list")
    expect(look.get_by_role("link")).to_have_count(1)
    expect(look).to_contain_text("broken")
    expect(page.locator(".runcard")).to_have_count(3)
    card = page.locator(".runcard").filter(has_text="judging")
    expect(card).to_contain_text("quality")
    expect(card.locator(".rc-t b")).to_have_text("9")
    expect(page.locator(".runcard.plain")).to_have_count(1)
    expect(page.locator(".runcard.plain")).to_contain_text("No metric yet")
    expect(page.get_by_role("link", name="digits-model")).to_be_visible()
    row.get_by_role("link", name="0.2500").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("better")


def test_an_empty_experiment_opened_first_is_laid_out(busy: Server, new_page: NewPage) -> None:
    id_ = busy.post("experiments/create", {"name": "nothing-yet"}).json()["experiment_id"]
    page = new_page()
    page.goto(f"{busy.url}/e/{id_}")
    start = page.get_by_test_id("empty-start")
    expect(start).to_have_css("text-align", "center")
    expect(start.locator(".logo")).to_have_css("width", "34px")


def test_hundreds_of_experiments_stand_in_folders_that_open(new_page: NewPage, tmp_path: Path) -> None:
    server = Server(tmp_path, f"sqlite:///{tmp_path}/logbuch.db").start()
    try:
        names = [f"team-{number % 7}/project-{number % 23:02d}/study-{number:03d}" for number in range(200)]
        ids = {name: server.post("experiments/create", {"name": name}).json()["experiment_id"] for name in names}
        page = new_page()
        page.goto(f"{server.url}/experiments")
        tree = page.locator(".rail .tree")
        expect(tree.get_by_role("link")).to_have_count(7)
        tree.get_by_role("button", name="Open the folder team-6", exact=True).press("Enter")
        expect(tree.get_by_role("link")).to_have_count(7 + 23)
        tree.get_by_role("button", name="Open the folder team-6/project-22").click()
        expect(tree.get_by_role("link", name="study-160")).to_be_visible()
        page.reload()
        expect(tree.get_by_role("link", name="study-160")).to_be_visible()
        tree.get_by_role("button", name="Close the folder team-6", exact=True).click()
        expect(tree.get_by_role("link")).to_have_count(7)
        tree.get_by_role("link", name="team-3 0").click()
        expect(page).to_have_url(f"{server.url}/experiments?folder=team-3")
        expect(page.get_by_test_id("experiment-row")).to_have_count(sum(name.startswith("team-3/") for name in ids))
        expect(tree.get_by_role("button", name="Close the folder team-3", exact=True)).to_be_visible()
    finally:
        server.stop()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_home_is_clean_and_fits_a_phone(busy: Server, new_page: NewPage, screenshots: Path, theme: str) -> None:
    page = new_page(theme)
    page.goto(busy.url)
    expect(page.get_by_test_id("fortnight")).to_contain_text("7 runs, 1 failed")
    expect(page.get_by_text("eval/loss 0.2500")).to_be_visible()
    page.screenshot(path=screenshots / f"home-{theme}.png")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
    assert [(item["id"], [node["html"][:200] for node in item["nodes"]][:3]) for item in found["violations"]] == []
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("html")).to_have_js_property("scrollWidth", 390)


def test_what_is_not_there_has_the_frame_and_a_way_on(busy: Server, new_page: NewPage) -> None:
    page = new_page()
    for path, heading, words, way in (
        ("/e/999", "999", "There is no such experiment", "Go to Experiments"),
        ("/e/1/runs/0123456789abcdef", "01234567", "There is no such run", "Go to vision/digits"),
        ("/models/nothing", "nothing", "There is no such model", "Go to Models"),
        ("/compare?runs=0123456789abcdef", "Compare 0 runs", "It may have been deleted for good", "Go to Experiments"),
        ("/nothing/here", "Logbuch", "There is no page at this address", "Go to Home"),
    ):
        page.goto(busy.url + path)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page.get_by_text(words)).to_be_visible()
        expect(page.get_by_role("link", name=way)).to_be_visible()
