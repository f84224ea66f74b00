"""The compare page in a real browser: brushes, axes, what moved the metric, code and configuration, many runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.pages import settled, steady, until
from support.seeds import Seeded, artifact, send
from support.servers import Server

NewPage = Callable[..., Page]
AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
COUNT = 60


@pytest.fixture(scope="module")
def grid(seeded: Seeded) -> tuple[Server, str, list[str]]:
    """Sixty runs: the loss follows the learning rate; two of them kept a patch and their packages."""
    server = seeded.server
    id_ = server.post("experiments/create", {"name": "compare/grid"}).json()["experiment_id"]
    runs = []
    for number in range(COUNT):
        run = server.new_run(id_, run_name=f"grid-{number:02d}", start_time=1_795_000_000_000 + number)
        rate, optimizer = ("0.001", "0.01", "0.1")[number % 3], ("adam", "sgd")[number % 2]
        loss = {"0.001": 1.0, "0.01": 0.5, "0.1": 2.0}[rate] + (number % 7) / 100
        send(server, run, metrics=[{"key": "eval/loss", "value": loss, "timestamp": 1, "step": 1}])
        send(server, run, params=[{"key": "lr", "value": rate}, {"key": "optimizer", "value": optimizer}])
        server.post("runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1_795_000_100_000})
        runs.append(run)
    for place, (run, version) in enumerate(zip(runs, ("1.0", "2.0"), strict=False)):
        packages = f"alpha==1\ntorch=={version}\nzeta==3\n"
        artifact(server, f"{id_}/{run}/artifacts/logbuch/requirements.txt", packages.encode())
        if place == 0:
            artifact(server, f"{id_}/{run}/artifacts/logbuch/diff.patch", b"--- a/x\n+++ b/x\n")
    return server, id_, runs


def opened(new_page: NewPage, address: str, theme: str = "light", width: int = 1440, height: int = 900) -> Page:
    page = new_page(theme, width, height)
    page.goto(address)
    expect(page.locator(".tabs")).to_be_visible()
    return page


def axis(page: Page, column: str) -> dict[str, float]:
    box: Any = steady(page, page.locator(f'[data-testid=parallel-axis][data-axis="{column}"]'))
    return box


def test_a_brush_narrows_the_whole_page_and_the_table(grid: Any, new_page: NewPage) -> None:
    server, id_, _ = grid
    page = opened(new_page, f"{server.url}/compare?e={id_}")
    expect(page.get_by_test_id("parallel")).to_be_visible()
    expect(page.get_by_test_id("scatter-point")).to_have_count(COUNT)
    box = axis(page, "metrics.eval/loss")
    x, low = box["x"] + box["width"] / 2, box["y"] + box["height"] - 2
    page.mouse.move(x, low)
    page.mouse.down()
    page.mouse.move(x, low - box["height"] * 0.15, steps=5)
    page.mouse.up()
    expect(page.get_by_test_id("in-brush")).to_have_text("20 of 60 in the brush")
    expect(page.get_by_test_id("scatter-point")).to_have_count(20)
    expect(page).to_have_url(re.compile("brush=metrics.eval/loss"))
    page.reload()
    expect(page.get_by_test_id("in-brush")).to_have_text("20 of 60 in the brush")
    page.get_by_role("button", name="Show these in the table").click()
    expect(page).to_have_url(re.compile(f"/e/{id_}"))
    expect(page.get_by_text("20 of 60 runs")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Clear brush").click()
    expect(page.get_by_test_id("scatter-point")).to_have_count(COUNT)


def test_axes_are_moved_dropped_and_added(grid: Any, new_page: NewPage) -> None:
    server, id_, _ = grid
    page = opened(new_page, f"{server.url}/compare?e={id_}&part=parallel")

    def axes() -> Any:
        return page.get_by_test_id("parallel-axis").evaluate_all("all => all.map(one => one.dataset.axis)")

    expect(page.get_by_test_id("parallel-axis")).to_have_count(3)
    # The most telling stands beside the target.
    until(page, lambda: axes() == ["params.optimizer", "params.lr", "metrics.eval/loss"])
    first, last = axis(page, "params.optimizer"), axis(page, "metrics.eval/loss")
    page.mouse.move(first["x"] + 14, first["y"] - 22)
    page.mouse.down()
    page.mouse.move(last["x"] - 40, last["y"] - 22, steps=8)
    page.mouse.up()
    until(page, lambda: axes() == ["params.lr", "params.optimizer", "metrics.eval/loss"])
    page.get_by_role("button", name="Axis optimizer").focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Drop this axis").press("Enter")
    expect(page.get_by_test_id("parallel-axis")).to_have_count(2)
    page.get_by_role("button", name="Axis lr").focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Brush the best half").press("Enter")
    expect(page.get_by_test_id("in-brush")).to_be_visible()
    page.get_by_role("button", name="Add axis").click()
    page.get_by_role("menuitem", name="optimizer").click()
    expect(page.get_by_test_id("parallel-axis")).to_have_count(3)


def test_curves_of_more_runs_than_colours_are_all_drawn(grid: Any, new_page: NewPage) -> None:
    server, id_, _ = grid
    page = opened(new_page, f"{server.url}/compare?e={id_}&part=curves")
    plot = page.get_by_test_id("chart").first.locator(".plot")
    expect(plot).to_have_attribute("aria-label", re.compile("60 runs"))  # on the ramp of the metric
    page.goto(f"{server.url}/compare?e={id_}&part=curves&colour=run")
    expect(plot).to_have_attribute("aria-label", re.compile("30 runs"))  # the others are grey behind


def test_another_metric_gets_axes_of_its_own(grid: Any, new_page: NewPage) -> None:
    server, id_, runs = grid
    for run in runs:
        server.post("runs/log-metric", {"run_id": run, "key": "eval/accuracy", "value": 0.5, "timestamp": 1, "step": 1})
    page = opened(new_page, f"{server.url}/compare?e={id_}&part=parallel")
    expect(page.get_by_test_id("parallel-axis").last).to_have_attribute("data-axis", "metrics.eval/loss")
    page.get_by_role("button", name="Metric eval/loss").click()
    page.get_by_role("menuitemradio", name="eval/accuracy").click()
    expect(page.get_by_test_id("parallel-axis").last).to_have_attribute("data-axis", "metrics.eval/accuracy")
    page.goto(f"{server.url}/compare?e={id_}&part=importance&target=eval/accuracy")
    expect(page.get_by_test_id("importance")).to_contain_text("All runs have the same value")


def test_what_moved_the_metric(grid: Any, new_page: NewPage) -> None:
    server, id_, runs = grid
    page = opened(new_page, f"{server.url}/compare?e={id_}&part=importance")
    first = page.get_by_test_id("importance").locator("tbody tr").first
    expect(first).to_contain_text("lr")
    share = re.compile(r"(9\d|100) %")
    expect(first).to_contain_text(share)
    about = page.get_by_role("region", name="What moved eval/loss")
    expect(about).to_contain_text("60 runs, all together explain")
    # The same answer as that of the experiment's page.
    page.goto(f"{server.url}/e/{id_}")
    expect(page.locator(".four")).to_contain_text("lr explains most of it")
    expect(page.locator(".four")).to_contain_text(share)
    page.goto(f"{server.url}/compare?runs={','.join(runs[:3])}&part=importance")
    expect(page.get_by_test_id("importance")).to_contain_text("too few to tell")


def test_the_direction_is_that_of_the_experiment(seeded: Seeded, new_page: NewPage) -> None:
    server = seeded.server
    id_ = server.post("experiments/create", {"name": "compare/direction"}).json()["experiment_id"]
    runs = [server.new_run(id_, run_name=f"run-{number}") for number in range(2)]
    for run, value in zip(runs, (1.0, 2.0), strict=True):
        points = [{"key": key, "value": value, "timestamp": 1, "step": 1} for key in ("quantity", "train/loss")]
        send(server, run, metrics=points)
    for key, value in (("logbuch.direction.quantity", "higher"), ("mlflow.experiment.primaryMetric.name", "quantity")):
        server.post("experiments/set-experiment-tag", {"experiment_id": id_, "key": key, "value": value})
    page = opened(new_page, f"{server.url}/compare?runs={','.join(runs)}")
    row = page.locator("[data-testid=compare-row][data-key=quantity] td")
    expect(row.nth(1)).to_have_class(re.compile("best"))
    expect(row.nth(0)).not_to_have_class(re.compile("best"))
    page.locator(".tabs a", has_text="Bar").click()
    expect(page.get_by_test_id("bars")).to_have_text(re.compile("^run-1.*run-0"))
    # Judged by its best value, the run whose last one is worse leads.
    points = [
        {"key": "quantity", "value": value, "timestamp": step, "step": step} for step, value in ((2, 3.0), (3, 0.5))
    ]
    send(server, runs[0], metrics=points)
    tag = {"experiment_id": id_, "key": "logbuch.reading.quantity", "value": "best"}
    server.post("experiments/set-experiment-tag", tag)
    page.goto(f"{server.url}/compare?runs={','.join(runs)}")
    expect(row.nth(0)).to_have_text("3")
    expect(row.nth(0)).to_have_class(re.compile("best"))
    expect(page.locator("[data-testid=compare-row][data-key=quantity] th")).to_contain_text("best")
    page.locator(".tabs a", has_text="Bar").click()
    expect(page.get_by_test_id("bars")).to_have_text(re.compile("^run-0.*run-1"))


@pytest.mark.parametrize("part", ["table", "curves", "scatter", "box", "bar", "diff"])
def test_every_part_has_its_page(grid: Any, new_page: NewPage, part: str) -> None:
    server, id_, _ = grid
    page = opened(new_page, f"{server.url}/compare?e={id_}")
    page.locator(".tabs a").nth(
        ["all", "table", "curves", "parallel", "scatter", "box", "bar", "importance", "diff"].index(part)
    ).click()
    expect(page).to_have_url(re.compile(f"part={part}"))
    ids = {"table": "side-by-side", "curves": "chart", "box": "box-plot", "bar": "bars", "diff": "config-diff"}
    expect(page.get_by_test_id(ids.get(part, part)).first).to_be_visible()
    if part == "box":
        expect(page.locator(".sbox")).to_have_count(3)


def test_settings_of_the_curves_are_in_the_address(grid: Any, new_page: NewPage) -> None:
    server, id_, _ = grid
    page = opened(new_page, f"{server.url}/compare?e={id_}&part=curves&x=params.lr")
    expect(page.get_by_test_id("chart").first).to_be_visible()
    page.get_by_label("Search charts").fill("no such metric")
    expect(page.get_by_test_id("chart")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"curves\.charts=no\+such\+metric"))
    page.reload()
    expect(page.get_by_label("Search charts")).to_have_value("no such metric")
    page.get_by_role("button", name="Show all charts").click()
    expect(page.get_by_test_id("chart").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"x=params\.lr"))
    expect(page).not_to_have_url(re.compile(r"curves\."))


def test_only_the_columns_in_view_are_drawn(grid: Any, new_page: NewPage) -> None:
    server, id_, _ = grid
    page = opened(new_page, f"{server.url}/compare?e={id_}&part=table")
    pane = page.get_by_test_id("side-by-side")
    expect(page.get_by_test_id("compare-column").first).to_contain_text("grid-")
    assert page.get_by_test_id("compare-column").count() < 25
    pane.evaluate("e => e.scrollLeft = e.scrollWidth")
    expect(page.get_by_test_id("compare-column").last).to_be_visible()
    assert page.get_by_test_id("compare-column").count() < 25


def test_on_paper_all_runs_stand_in_blocks_that_fit_it(grid: Any, new_page: NewPage) -> None:
    server, id_, _ = grid
    page = new_page()
    page.add_init_script(
        "window.print = () => { const tables = [...document.querySelectorAll('.sbs table')];"
        " window.printed = [document.querySelectorAll('[data-testid=compare-column]').length, tables.length,"
        " Math.max(...tables.map((one) => one.getBoundingClientRect().width))] }"
    )
    page.goto(f"{server.url}/compare?e={id_}&part=table")
    expect(page.get_by_test_id("compare-column").first).to_contain_text("grid-")
    page.keyboard.press("Control+k")
    page.get_by_test_id("palette-input").fill(">Print")
    expect(page.get_by_test_id("palette-item").first).to_contain_text("Print")
    page.keyboard.press("Enter")
    until(page, lambda: page.evaluate("window.printed"))
    columns, tables, width = page.evaluate("window.printed")
    assert (columns, tables) == (COUNT, COUNT / 4)
    assert width <= 720
    expect(page.get_by_test_id("side-by-side").locator("table")).to_have_count(1)


def test_code_and_configuration_of_two_runs(grid: Any, new_page: NewPage) -> None:
    server, _, runs = grid
    page = opened(new_page, f"{server.url}/compare?runs={','.join(runs[:2])}&part=diff")
    cards = page.get_by_test_id("text-diff")
    expect(cards.nth(0).locator(".dl.out").first).to_contain_text("lr = 0.001")
    expect(cards.nth(0).locator(".dl.in").first).to_contain_text("lr = 0.01")
    expect(cards.nth(2)).to_contain_text("Only grid-00 kept this file")
    expect(cards.nth(3).locator(".dl.out")).to_have_text(re.compile("torch==1.0"))
    expect(cards.nth(3).locator(".dl.in")).to_have_text(re.compile("torch==2.0"))


def test_nothing_and_missing_runs_say_what_to_do(grid: Any, new_page: NewPage) -> None:
    server, _, runs = grid
    page = new_page()
    page.goto(f"{server.url}/compare")
    expect(page.get_by_text("No runs chosen")).to_be_visible()
    page.goto(f"{server.url}/compare?runs={runs[0]},{runs[1]},{'0' * 32}")
    expect(page.get_by_text("1 run is gone")).to_be_visible()


SHOWN = {
    "everything": "scatter-point",
    "box": "box-plot",
    "bar": "bars",
    "importance": "importance",
    "diff": "text-diff",
}
"""Parts of the page, and what stands there when they are drawn."""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_parts_are_clean_and_kept_as_pictures(grid: Any, new_page: NewPage, screenshots: Path, theme: str) -> None:
    server, id_, runs = grid
    pages = {
        "everything": f"e={id_}",
        "box": f"e={id_}&part=box",
        "bar": f"e={id_}&part=bar",
        "importance": f"e={id_}&part=importance",
        "diff": f"runs={','.join(runs[:2])}&part=diff",
    }
    page = opened(new_page, f"{server.url}/compare?{pages['everything']}", theme)
    for name, query in pages.items():
        page.goto(f"{server.url}/compare?{query}")
        expect(page.get_by_test_id(SHOWN[name]).first).to_be_visible()
        settled(page)
        page.screenshot(path=screenshots / f"compare-{name}-{theme}.png")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
        assert [(item["id"], [node["html"][:200] for node in item["nodes"]][:3]) for item in found["violations"]] == []


def test_many_runs_on_a_phone(grid: Any, new_page: NewPage, screenshots: Path) -> None:
    server, id_, _ = grid
    page = opened(new_page, f"{server.url}/compare?e={id_}", "light", 390, 844)
    expect(page.get_by_test_id("parallel-axis").last).to_have_attribute("data-axis", "metrics.eval/loss")
    page.screenshot(path=screenshots / "compare-many-phone.png")
    expect(page.locator("html")).to_have_js_property("scrollWidth", 390)
    assert axis(page, "metrics.eval/loss")["x"] > 200
