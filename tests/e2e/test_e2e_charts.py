"""Charts in a real browser: what is drawn, set, zoomed, saved."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from support.pages import settled, steady, until
from support.seeds import Seeded, send
from support.servers import Server

NewPage = Callable[..., Page]
STEPS = 300


@pytest.fixture(scope="module")
def charted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server with one experiment of three runs: losses, an epoch, a zero, a NaN and an outlier."""
    folder = tmp_path_factory.mktemp("charted")
    server = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    experiment = server.post("experiments/create", {"name": "charts"}).json()["experiment_id"]
    runs = [_run(server, experiment, number) for number in range(3)]
    yield Seeded(server, experiment, {f"run_{number}": run_id for number, run_id in enumerate(runs)}, "")
    server.stop()


def _run(server: Server, experiment: str, number: int) -> str:
    run_id = server.new_run(experiment, run_name=f"run_{number}", start_time=1_795_000_000_000)
    points = []
    for step in range(STEPS):
        stamp = 1_795_000_000_000 + step * 1000
        loss: Any = 1 / (1 + step / 20) + 0.01 * number
        if number == 2 and step == 200:
            loss = "NaN"
        if number == 1 and step == 150:
            loss = 90.0
        points += [
            {"key": "train/loss", "value": loss, "timestamp": stamp, "step": step},
            {"key": "train/acc", "value": step / STEPS, "timestamp": stamp, "step": step},
            {"key": "system/cpu", "value": 50.0, "timestamp": stamp, "step": step},
        ]
        if step % 10 == 0:
            points.append({"key": "eval/loss", "value": 1 / (1 + step / 30), "timestamp": stamp, "step": step})
            if number < 2:
                points.append({"key": "epoch", "value": step / 100, "timestamp": stamp, "step": step})
    for part in range(0, len(points), 1000):
        send(server, run_id, metrics=points[part : part + 1000])
    server.post("runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": 1_795_000_400_000})
    return run_id


def open_charts(charted: Seeded, new_page: NewPage, query: str = "") -> Page:
    page = new_page()
    page.goto(f"{charted.server.url}/e/{charted.experiment_id}?layout=charts{query}")
    for key in ("train/loss", "eval/loss"):
        drawn(chart(page, key))
    settled(page)  # all that the first view asks for is there
    return page


def chart(page: Page, key: str) -> Locator:
    return page.locator(f"[data-testid=chart][data-key='{key}']")


def drawn(card: Locator) -> None:
    """Its points are there, not only its frame."""
    expect(card.locator(".plotbox")).to_have_attribute("aria-busy", "false")
    expect(card.locator(".u-over")).to_be_visible()


def menu(page: Page, key: str, entry: str) -> None:
    chart(page, key).get_by_role("button", name="Menu of chart").click()
    page.get_by_role("menuitem", name=entry).or_(page.get_by_role("menuitemradio", name=entry)).first.click()


def saved(page: Page, key: str, entry: str) -> bytes:
    drawn(chart(page, key))
    with page.expect_download() as waiting:
        menu(page, key, entry)
    return Path(waiting.value.path()).read_bytes()


def test_search_by_glob_and_folding_are_in_the_address(charted: Seeded, new_page: NewPage) -> None:
    page = open_charts(charted, new_page)
    expect(page.get_by_test_id("chart")).to_have_count(5)
    page.get_by_test_id("chart-search").fill("train/*")
    expect(page.get_by_test_id("chart")).to_have_count(2)
    expect(page).to_have_url(re.compile(re.escape("charts=train/")))
    page.get_by_test_id("chart-search").fill("nothing")
    page.get_by_role("button", name="Show all charts").click()
    page.get_by_role("button", name="system/ 1").click()
    expect(chart(page, "system/cpu")).to_have_count(0)
    expect(page).to_have_url(re.compile(re.escape("fold=system/")))
    page.reload()
    expect(chart(page, "train/acc")).to_be_visible()
    expect(chart(page, "system/cpu")).to_have_count(0)


def test_outliers_are_counted_and_shown_on_demand(charted: Seeded, new_page: NewPage) -> None:
    page = open_charts(charted, new_page)
    card = chart(page, "train/loss")
    card.get_by_role("button", name="above the view").click()
    expect(page).to_have_url(re.compile(re.escape("all=train/loss")))
    expect(card.get_by_role("button", name="Robust range")).to_be_visible()
    rows = list(csv.DictReader(saved(page, "train/loss", "Save as CSV").decode().splitlines()))
    assert max(float(row["max"]) for row in rows if row["max"] != "NaN") == 90.0


def test_settings_of_one_chart_are_kept(charted: Seeded, new_page: NewPage) -> None:
    page = open_charts(charted, new_page)
    menu(page, "train/loss", "Logarithmic y")
    expect(chart(page, "train/loss").get_by_text("log", exact=True)).to_be_visible()
    menu(page, "train/acc", "Settings…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("group", name="Range").get_by_role("button", name="Own").click()
    dialog.get_by_label("Lowest y").fill("2")
    dialog.get_by_label("Highest y").fill("1")
    dialog.get_by_label("Highest y").blur()
    expect(dialog.get_by_role("alert")).to_contain_text("below")
    dialog.get_by_label("Lowest y").fill("0,25")
    dialog.get_by_label("Highest y").fill("0.5")
    dialog.get_by_label("Highest y").blur()
    dialog.get_by_role("button", name="Close").click()
    expect(chart(page, "train/acc").get_by_role("button", name="outside the view")).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape("ylog=train/loss")))
    expect(page).to_have_url(re.compile(re.escape("yrange=train/acc|0.25|0.5")))
    page.goto(f"{charted.server.url}/e/{charted.experiment_id}")  # an address that says nothing: as it was left
    expect(chart(page, "train/loss").get_by_text("log", exact=True)).to_be_visible()
    menu(page, "train/acc", "Reset this chart")
    expect(chart(page, "train/acc").get_by_role("button", name="outside the view")).to_have_count(0)


def test_any_metrics_in_one_chart(charted: Seeded, new_page: NewPage) -> None:
    page = open_charts(charted, new_page)
    page.get_by_role("button", name="New chart").click()
    dialog = page.get_by_role("dialog")
    for key in ("train/loss", "eval/loss"):
        dialog.get_by_label(key, exact=True).check()
    dialog.get_by_label("Title").fill("Losses")
    dialog.get_by_role("button", name="Save").click()
    rows = list(csv.DictReader(saved(page, "own:Losses", "Save as CSV").decode().splitlines()))
    assert {row["metric"] for row in rows} == {"train/loss", "eval/loss"}
    assert len({row["run_id"] for row in rows}) == 3
    page.reload()
    menu(page, "own:Losses", "Edit chart")
    page.get_by_role("dialog").get_by_label("eval/loss", exact=True).uncheck()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    menu(page, "own:Losses", "Remove chart")
    expect(chart(page, "own:Losses")).to_have_count(0)


def test_another_metric_as_the_x_axis(charted: Seeded, new_page: NewPage) -> None:
    page = open_charts(charted, new_page)
    page.get_by_role("button", name="X axis: Step").click()
    page.get_by_role("menuitemradio", name="epoch").click()
    expect(chart(page, "train/loss").get_by_text("1 run without epoch")).to_be_visible()
    rows = list(csv.DictReader(saved(page, "train/acc", "Save as CSV").decode().splitlines()))
    assert {row["run_id"] for row in rows} == {charted.runs["run_0"], charted.runs["run_1"]}
    # At step 150 of 300 the accuracy is 0.5 and the epoch 1.5.
    nearest = min(rows, key=lambda row: abs(float(row["x"]) - 1.5))
    assert abs(float(nearest["last"]) - 0.5) < 0.01


def test_a_zoom_asks_for_finer_buckets_and_all_charts_follow(charted: Seeded, new_page: NewPage) -> None:
    page = open_charts(charted, new_page)
    asked: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if request.url.endswith("/metrics/buckets"):
            asked.append(json.loads(request.post_data or "{}"))

    page.on("request", note)
    box = steady(page, chart(page, "eval/loss").locator(".u-over"))
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60, steps=5)
    page.mouse.up()
    expect(page.get_by_role("button", name="Reset zoom")).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape("zoom=")))

    def finer() -> list[dict[str, Any]]:
        return [query for query in asked if query["start"] is not None]  # without are those of the whole view

    until(page, lambda: {key for query in finer() for key in query["keys"]} >= {"eval/loss", "train/loss"})
    spans = {(query["start"], query["end"]) for query in finer()}
    assert all(60 < start < 80 and 140 < end < 160 for start, end in spans), spans
    chart(page, "train/loss").locator(".u-over").dblclick()
    expect(page.get_by_role("button", name="Reset zoom")).to_have_count(0)


def test_a_box_with_shift_and_the_wheel_with_ctrl(charted: Seeded, new_page: NewPage) -> None:
    page = open_charts(charted, new_page)
    box = steady(page, chart(page, "eval/loss").locator(".u-over"))
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.7, steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.get_by_role("button", name="Reset zoom")).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape("yrange=eval/loss|")))
    expect(page).to_have_url(re.compile(re.escape("zoom=")))
    before = page.url
    box = steady(page, chart(page, "eval/loss").locator(".u-over"))
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 80)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    expect(page).not_to_have_url(before)
    chart(page, "eval/loss").locator(".u-over").dblclick()
    expect(page.get_by_role("button", name="Reset zoom")).to_have_count(0)
    expect(page).not_to_have_url(re.compile(re.escape("yrange")))


def test_the_crosshair_is_one_in_all_charts_and_moves_by_keys(charted: Seeded, new_page: NewPage) -> None:
    page = open_charts(charted, new_page)
    plot = chart(page, "eval/loss").get_by_role("group")
    plot.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(chart(page, "eval/loss").get_by_test_id("tooltip")).to_contain_text("Step 10")
    expect(chart(page, "train/loss").locator(".dots i")).to_have_count(3)
    page.keyboard.press("t")
    expect(chart(page, "eval/loss").get_by_test_id("tooltip")).to_contain_text("pinned")
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile(re.escape("ylog=eval/loss")))


def test_pictures_and_full_screen(charted: Seeded, new_page: NewPage) -> None:
    page = open_charts(charted, new_page)
    assert saved(page, "train/loss", "Save as PNG")[:8] == b"\x89PNG\r\n\x1a\n"
    svg = saved(page, "train/loss", "Save as SVG").decode()
    assert svg.startswith("<svg ")
    assert ">run_2<" in svg
    assert "NaN" in svg
    problem = page.evaluate(
        "text => new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror')?.textContent", svg
    )
    assert problem is None
    chart(page, "train/loss").get_by_role("button", name="Full screen").click()
    until(page, lambda: (chart(page, "train/loss").bounding_box() or {"width": 0})["width"] > 1400)
    page.keyboard.press("Escape")
    expect(chart(page, "train/loss").get_by_role("button", name="Full screen")).to_be_visible()


def test_a_chart_as_a_table(charted: Seeded, new_page: NewPage) -> None:
    page = open_charts(charted, new_page)
    menu(page, "train/loss", "Show as table")
    rows = page.get_by_role("dialog").get_by_role("row")
    expect(rows).to_have_count(4)
    expect(rows.filter(has_text="run_2")).to_contain_text("1")


def test_a_logarithmic_x_axis_says_what_it_leaves_out(charted: Seeded, new_page: NewPage) -> None:
    page = open_charts(charted, new_page, "&xlog=train/acc")
    expect(chart(page, "train/acc").get_by_text("3 points at or below 0 left out")).to_be_visible()


def test_only_what_is_in_sight_is_asked_for(charted: Seeded, new_page: NewPage) -> None:
    server = charted.server
    run_id = server.new_run("0", run_name="wide", start_time=1_795_000_000_000)
    keys = [f"layer_{number}/norm" for number in range(1500)]
    for part in range(0, len(keys), 500):
        points = [{"key": key, "value": 1.0, "timestamp": 1, "step": 1} for key in keys[part : part + 500]]
        send(server, run_id, metrics=points)
    page = new_page()
    asked: set[str] = set()
    page.on(
        "request",
        lambda r: asked.update(json.loads(r.post_data or "{}")["keys"]) if r.url.endswith("/metrics/buckets") else None,
    )
    page.goto(f"{server.url}/e/0/runs/{run_id}/metrics")
    expect(page.get_by_test_id("chart")).to_have_count(1500)
    expect(page.locator(".u-over").first).to_be_visible()
    expect(page.locator(".plotbox[aria-busy=false]").first).to_be_visible()
    expect(page.locator(".plotbox[aria-busy=true]")).to_have_count(0)
    assert 1 < len(asked) < 60
    assert page.locator("canvas").count() < 60


def test_groups_are_drawn_as_mean_and_band(charted: Seeded, new_page: NewPage) -> None:
    page = open_charts(charted, new_page, "&group=attributes.status")
    expect(chart(page, "train/acc").get_by_text("mean and std")).to_be_visible()
    rows = list(csv.DictReader(saved(page, "train/acc", "Save as CSV").decode().splitlines()))
    assert {row["run"] for row in rows} == {"FINISHED (3)"}
    assert abs(float(rows[-1]["last"]) - float(rows[-1]["min"])) < 1e-9  # the same in all runs: no spread
    page.get_by_role("button", name="mean and std").click()
    page.get_by_role("menuitemradio", name="mean and 95 % CI").click()
    expect(chart(page, "train/acc").get_by_text("mean and 95 % CI")).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape("band=ci")))
