"""The page of one run in a real browser: parameters, metrics, notes, code, print."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.pages import steady, until
from support.seeds import artifact, send
from support.servers import Server

NewPage = Callable[..., Page]
PATCH = b"diff --git a/train.py b/train.py\n--- a/train.py\n+++ b/train.py\n@@ -1 +1 @@\n-lr = 1\n+lr = 2\n"

FILES = {
    "logbuch/diff.patch": PATCH,
    "logbuch/requirements.txt": b"torch==2.13.0\nnumpy==2.0\n",
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server and a run with parameters, metrics, a child, and what tells of its code."""
    folder = tmp_path_factory.mktemp("ran")
    server = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    run_id = server.new_run("0", run_name="parent", start_time=1_795_000_000_000)
    params = {"learning_rate": "1e-4", "lora_rank": "16", "note": "it's yes"} | {f"p_{n}": str(n) for n in range(20)}
    points: list[dict[str, Any]] = [
        {"key": key, "value": value, "timestamp": 1_795_000_000_000 + step, "step": step}
        for step in range(50)
        for key, value in (("train/loss", 1 / (step + 1)), ("eval/acc", step / 50), ("system/cpu", 50.0))
    ]
    tags = {
        "mlflow.source.git.commit": "8d41f02a7c0e4a51b1f0d3c2e4a6b8901d2e3f45",
        "mlflow.source.git.dirty": "true",
        "logbuch.command": "python train.py",
        "logbuch.host": "gpubox",
    }
    send(
        server, run_id, metrics=points,
        params=[{"key": key, "value": value} for key, value in params.items()],
        tags=[{"key": key, "value": value} for key, value in tags.items()],
    )  # fmt: skip
    child = server.new_run("0", run_name="child", start_time=1_795_000_000_000)
    send(server, child, tags=[{"key": "mlflow.parentRunId", "value": run_id}])
    for path, content in FILES.items():
        artifact(server, f"0/{run_id}/artifacts/{path}", content)
    yield server, run_id
    server.stop()


def goto(page: Page, ran: tuple[Server, str], tab: str = "overview", query: str = "") -> Page:
    server, run_id = ran
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{server.url}/e/0/runs/{run_id}/{tab}{query}")
    return page


def copied(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_parameters_are_searched_and_copied(ran: tuple[Server, str], new_page: NewPage) -> None:
    page = goto(new_page(), ran, "parameters")
    rows = page.get_by_test_id("param-row")
    expect(rows).to_have_count(23)
    page.get_by_label("Filter parameters").fill("lora")
    expect(rows).to_have_count(1)
    page.get_by_label("Filter parameters").fill("nothing")
    expect(page.get_by_text("No parameter matches")).to_be_visible()

    def copy(how: str, what: str) -> str:
        page.get_by_role("button", name="Parameters: More").click()
        page.get_by_role("menuitem", name=how).click()
        until(page, lambda: what in copied(page))
        return copied(page)

    assert json.loads(copy("Copy as JSON", '"lora_rank"'))["lora_rank"] == "16"
    copy("Copy as YAML", "learning_rate: 1.0e-4\n")
    assert "--note 'it'\\''s yes'" in copy("Copy as command line flags", "--learning_rate 1e-4")
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()


def test_a_thousand_parameters_are_folded_and_tell_their_keys_apart(ran: Any, new_page: NewPage) -> None:
    server, _ = ran
    run_id = server.new_run("0", run_name="configured", start_time=1_795_000_000_000)
    keys = [f"config.section.some_deeply_nested_option_{number:03d}" for number in range(1000)]
    for part in range(0, len(keys), 100):
        send(server, run_id, params=[{"key": key, "value": "/data/x" * 60} for key in keys[part : part + 100]])
    page = new_page()
    page.goto(f"{server.url}/e/0/runs/{run_id}")
    rows = page.get_by_test_id("param-row")
    expect(rows).to_have_count(60)
    card = steady(page, page.locator("section.params").first)
    tail = steady(page, rows.first.locator("dt span").last)
    expect(rows.first.locator("dt span").last).to_have_text("ted_option_000")
    assert card["x"] < tail["x"] < tail["x"] + tail["width"] < card["x"] + card["width"]
    page.get_by_role("button", name="Show all 1,000").click()
    expect(rows).to_have_count(1000)


def test_metrics_as_a_table(ran: tuple[Server, str], new_page: NewPage) -> None:
    page = goto(new_page(), ran, "metrics")
    page.get_by_role("button", name="Table").click()
    rows = page.get_by_test_id("metric-row")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="train/loss")).to_contain_text("at 49")
    page.get_by_label("Search metrics").fill("eval/*")
    expect(rows).to_have_count(1)
    page.go_back()
    expect(page.get_by_test_id("chart").first).to_be_visible()


def test_notes_are_edited_in_place(ran: tuple[Server, str], new_page: NewPage) -> None:
    page = goto(new_page(), ran)
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Notes in Markdown").fill("It was **good**.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".md strong")).to_have_text("good")
    page.reload()
    expect(page.locator(".md strong")).to_have_text("good")


def test_tags_are_added_and_removed(ran: tuple[Server, str], new_page: NewPage) -> None:
    page = goto(new_page(), ran)
    page.get_by_role("button", name="Edit tags").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key").fill("phase")
    dialog.get_by_label("Value").fill("sweep")
    dialog.get_by_role("button", name="Add tag").click()
    expect(dialog.get_by_label("phase", exact=True)).to_have_value("sweep")
    dialog.get_by_role("button", name="Remove tag phase").click()
    expect(dialog.get_by_label("phase", exact=True)).to_have_count(0)


def test_children_and_the_way_back(ran: tuple[Server, str], new_page: NewPage) -> None:
    page = goto(new_page(), ran)
    page.get_by_role("link", name="child").first.click()
    expect(page.get_by_role("heading", name="child").first).to_be_visible()
    page.get_by_role("link", name="parent").first.click()
    expect(page.get_by_role("heading", name="parent").first).to_be_visible()
    expect(page.get_by_text("gpubox")).to_be_visible()


def test_system_metrics_have_a_tab(ran: tuple[Server, str], new_page: NewPage) -> None:
    page = goto(new_page(), ran, "system")
    expect(page.get_by_test_id("chart")).to_have_count(1)
    expect(page.get_by_test_id("chart").first.locator(".u-over")).to_be_visible()


def test_what_a_run_cost_is_shown_where_it_is_known(ran: tuple[Server, str], new_page: NewPage) -> None:
    server, _ = ran
    page = goto(new_page(), ran)
    expect(page.get_by_role("heading", name="Reproduce")).to_be_visible()
    expect(page.get_by_test_id("cost")).to_have_count(0)
    measured = server.new_run("0", run_name="measured")
    point = {"key": "system/energy_watt_hours", "value": 42.5, "timestamp": 1, "step": 0}
    server.post("runs/log-metric", {"run_id": measured, **point})
    page.goto(f"{server.url}/e/0/runs/{measured}/overview")
    expect(page.get_by_test_id("cost")).to_contain_text("42.50 Wh")
    expect(page.get_by_test_id("cost")).not_to_contain_text("estimated")


def test_code_shows_the_changes_and_the_packages(ran: tuple[Server, str], new_page: NewPage) -> None:
    page = goto(new_page(), ran, "code")
    expect(page.get_by_test_id("diff")).to_contain_text("lr = 2")
    expect(page.get_by_text("train.py").first).to_be_visible()
    expect(page.get_by_text("torch", exact=True)).to_be_visible()
    expect(page.get_by_text("git checkout 8d41f02a7c0e")).to_be_visible()
    left, right = (steady(page, column) for column in page.locator(".rlay > .colm").all())
    assert left["width"] > 900
    assert right["width"] == 380
    server, run_id = ran
    command = f"logbuch reproduce {run_id} --tracking-uri {server.url}"
    expect(page.get_by_text(command, exact=True)).to_be_visible()
    page.keyboard.press("y")
    expect(page.get_by_text("Command copied")).to_be_visible()
    assert copied(page) == command
    page.goto(f"{server.url}/e/0")
    expect(page.get_by_text(command, exact=True)).to_be_visible()


def test_a_wide_run_stays_usable(ran: tuple[Server, str], new_page: NewPage) -> None:
    server, _ = ran
    run_id = server.new_run("0", run_name="wide", start_time=1_795_000_000_000)
    keys = [f"layer_{number}/norm" for number in range(1500)]
    for part in range(0, len(keys), 500):
        send(
            server,
            run_id,
            metrics=[{"key": k, "value": 1.0, "timestamp": 1, "step": 1} for k in keys[part : part + 500]],
        )
    page = new_page()
    page.goto(f"{server.url}/e/0/runs/{run_id}/metrics?as=table")
    expect(page.get_by_test_id("metric-row").first).to_be_visible()
    assert page.get_by_test_id("metric-row").count() < 80
    page.get_by_label("Search metrics").fill("layer_1499*")
    expect(page.get_by_test_id("metric-row")).to_have_count(1)


def test_a_run_is_printed_whole_with_charts_as_vectors(ran: tuple[Server, str], new_page: NewPage) -> None:
    page = new_page("dark")
    page.add_init_script(
        "window.print = () => { window.printed = [document.documentElement.dataset.theme,"
        " document.querySelectorAll('.chart img.printed').length, document.querySelectorAll('.chart canvas').length,"
        " document.querySelectorAll('.paperfoot').length] }"
    )
    goto(page, ran, "metrics")
    expect(page.locator(".chart canvas")).to_have_count(2)
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Print").click()
    until(page, lambda: page.evaluate("window.printed"))
    assert page.evaluate("window.printed") == ["light", 2, 0, 1]
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator(".chart canvas")).to_have_count(2)
    page.emulate_media(media="print")
    for gone in (".rail", ".tabs", ".btn"):
        expect(page.locator(gone).first).to_be_hidden()
