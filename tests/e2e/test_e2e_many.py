"""Ten thousand selected runs: tagged, archived, saved, compared, and one of them gone meanwhile."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.filling import fill
from benchmarks.generator import Experiment
from playwright.sync_api import Locator, Page, expect

from logbuch.store import experiments, open_store
from support.servers import Server

NewPage = Callable[..., Page]
COUNT = 10_000
LONG_MS = 120_000
"""For ten calls of a thousand runs each, on a machine that does other things."""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str, list[str]]]:
    folder = tmp_path_factory.mktemp("many")
    database = f"sqlite:///{folder}/logbuch.db"
    store = open_store(database)
    id_ = store.write(experiments.create, "many")
    runs = fill(store, id_, Experiment(COUNT, tags=3, keys=3))
    store.close()
    server = Server(folder, database).start()
    yield server, id_, runs
    server.stop()


def count(server: Server, id_: str, filter_: str) -> int:
    answer = server.native("runs/table", {"experiment_ids": [id_], "filter": filter_, "columns": [], "max_results": 1})
    return int(answer.json()["total"])


def select_all(page: Page, total: int = COUNT) -> Locator:
    """Selects the rows at hand, then all; gives the bar."""
    expect(page.get_by_test_id("run-row").first).to_be_visible()
    page.get_by_label("Select all loaded runs").click()
    bar = page.get_by_test_id("selection-bar")
    bar.get_by_role("button", name=re.compile("^Select all")).click()
    expect(bar).to_contain_text(f"{total:,} of {total:,} selected", timeout=LONG_MS)
    return bar


def tag(page: Page, bar: Locator, value: str) -> None:
    bar.get_by_role("button", name="Tag", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key").fill("phase")
    dialog.get_by_label("Value").fill(value)
    dialog.get_by_role("button", name="Set").click()


def test_all_runs_are_tagged_archived_saved_and_compared(many: Any, new_page: NewPage) -> None:
    server, id_, _ = many
    page = new_page()
    page.goto(f"{server.url}/e/{id_}?layout=table&cols=metrics.m0~tags.team")
    bar = select_all(page)
    tag(page, bar, "sweep")
    expect(page.get_by_text("10,000 runs tagged")).to_be_visible(timeout=LONG_MS)
    undo = page.get_by_role("button", name="Undo")
    undo.hover()  # it stays for whoever is about to press it
    assert count(server, id_, "tags.phase = 'sweep'") == COUNT
    undo.click()
    expect(page.get_by_text("Undone")).to_be_visible(timeout=LONG_MS)
    assert count(server, id_, "tags.phase = 'sweep'") == 0

    bar.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("10,000 runs archived")).to_be_visible(timeout=LONG_MS)
    undo.hover()
    assert count(server, id_, "") == 0
    undo.click()
    expect(page.get_by_text("Undone")).to_be_visible(timeout=LONG_MS)
    assert count(server, id_, "") == COUNT

    bar = select_all(page)
    bar.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=LONG_MS) as waiting:
        page.get_by_role("menuitem", name="As CSV").click()
    assert len(Path(waiting.value.path()).read_bytes().splitlines()) == COUNT + 1
    expect(bar.get_by_test_id("compare-button")).to_be_enabled()
    bar.get_by_test_id("compare-button").click()
    expect(page).to_have_url(re.compile(rf"/compare\?e={id_}$"))
    expect(page.get_by_role("heading", name="Compare 10,000 runs")).to_be_visible()


def test_a_part_of_thousands_of_runs_is_compared(many: Any, new_page: NewPage) -> None:
    server, id_, runs = many
    total = count(server, id_, "")
    page = new_page()
    page.goto(f"{server.url}/e/{id_}?layout=table&cols=metrics.m0")
    bar = select_all(page, total)
    page.get_by_test_id("run-row").first.get_by_role("checkbox").click()
    expect(bar).to_contain_text(f"{total - 1:,} of {total:,} selected")
    bar.get_by_test_id("compare-button").click()
    expect(page).to_have_url(re.compile(rf"/compare\?e={id_}#but=[\w-]{{22}}$"), timeout=LONG_MS)
    expect(page.get_by_role("heading", name=f"Compare {total - 1:,} runs")).to_be_visible()
    expect(page.get_by_test_id("sample")).to_have_text(f"2,000 of {total - 1:,} drawn", timeout=LONG_MS)
    expect(page.get_by_test_id("sampled")).to_contain_text("the 1,000 best by")
    expect(page.get_by_test_id("parallel")).to_be_visible()

    packed = base64.urlsafe_b64encode(b"".join(map(bytes.fromhex, runs[:3000]))).decode().rstrip("=")
    part = {"experiment_ids": [id_], "run_ids": runs[:3000], "columns": [], "max_results": 1}
    known = server.native("runs/table", part).json()["total"]
    page.goto(f"{server.url}/compare?e={id_}&part=table#only={packed}")
    expect(page.get_by_role("heading", name=f"Compare {known:,} runs")).to_be_visible()
    expect(page.get_by_test_id("sample")).to_have_text(f"2,000 of {known:,} drawn", timeout=LONG_MS)
    page.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=LONG_MS) as waiting:
        page.get_by_role("menuitem", name="As CSV").click()
    assert len(Path(waiting.value.path()).read_bytes().splitlines()) == known + 1
    page.locator(".tabs a", has_text="Bar").click()
    expect(page).to_have_url(re.compile("part=bar#only="))
    expect(page.get_by_test_id("bars")).to_be_visible()


def test_a_brush_looks_through_all_runs_of_a_search_that_is_drawn_as_a_sample(many: Any, new_page: NewPage) -> None:
    server, id_, _ = many
    total, inside = (
        count(server, id_, ""),
        "(metrics.m0 >= 0.4 AND metrics.m0 <= 0.41 OR metrics.m0 >= 0.6 AND metrics.m0 <= 0.61)",
    )
    found = count(server, id_, inside)
    page = new_page()
    page.goto(f"{server.url}/compare?e={id_}&target=m1&brush=metrics.m0::0.4::0.41~metrics.m0::0.6::0.61")
    expect(page.get_by_test_id("in-brush")).to_have_text(f"{found:,} of {total:,} in the brush", timeout=LONG_MS)
    # All of them are here, not just those that a sample of 2,000 has.
    expect(page.get_by_test_id("scatter-point")).to_have_count(found, timeout=LONG_MS)
    expect(page.get_by_test_id("sample")).to_have_count(0)
    expect(page.get_by_test_id("sampled")).to_contain_text("A brush looks through all of them")
    page.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=LONG_MS) as waiting:
        page.get_by_role("menuitem", name="As CSV").click()
    assert len(Path(waiting.value.path()).read_bytes().splitlines()) == found + 1
    page.get_by_role("button", name="Show these in the table").click()
    expect(page.get_by_text(f"{found:,} of {total:,} runs")).to_be_visible()


def test_a_run_that_is_gone_stops_a_change_and_leaves_the_selection(many: Any, new_page: NewPage) -> None:
    server, id_, _ = many
    page = new_page()
    page.goto(f"{server.url}/e/{id_}?layout=table&cols=tags.phase&sort=attributes.start_time")
    bar = select_all(page)
    query = {"experiment_ids": [id_], "order_by": ["attributes.start_time ASC"], "columns": [], "offset": 5000}
    answer = server.native("runs/table", query | {"max_results": 1}).json()
    gone = [answer["runs"][0]["run_id"]]
    assert server.native("runs/delete", {"run_ids": gone}).is_success
    assert server.native("runs/purge", {"run_ids": gone}).is_success
    tag(page, bar, "partly")
    expect(page.get_by_text(re.compile(r"^5,000 runs tagged, then: Run "))).to_be_visible(timeout=LONG_MS)
    assert count(server, id_, "tags.phase = 'partly'") == 5000
    expect(bar).to_contain_text("9,999 of 9,999 selected", timeout=LONG_MS)
    tag(page, bar, "whole")
    expect(page.get_by_text("9,999 runs tagged")).to_be_visible(timeout=LONG_MS)
    assert count(server, id_, "tags.phase = 'whole'") == COUNT - 1
