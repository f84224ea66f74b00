"""Alerts on the page in a real browser: the bell rings by itself, rules are made, alerts are seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from logbuch.wire import ingest
from support.servers import Server

NewPage = Callable[..., Page]
AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa']})")["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in SERIOUS]


def add_rule(server: Server, experiment: str, condition: str) -> None:
    body = {"experiment_id": experiment, "condition": condition, "level": "error"}
    assert httpx.post(f"{server.url}/api/logbuch/1/alerts/rules/create", json=body).is_success


def test_the_bell_rings_by_itself(make_server: Callable[[], Server], new_page: NewPage) -> None:
    server = make_server()
    experiment = str(server.post("experiments/create", {"name": "watched"}).json()["experiment_id"])
    run_id = server.new_run(experiment)
    page = new_page()
    page.goto(f"{server.url}/e/{experiment}")
    bell = page.get_by_test_id("bell")
    expect(bell).to_have_accessible_name("Alerts")
    bell.click()
    pane = page.get_by_role("dialog", name="Alerts")
    expect(pane).to_contain_text("Nothing wants attention")
    pane.get_by_role("textbox", name="Add a rule").fill("loss maybe")
    pane.get_by_role("button", name="Add a rule").click()
    expect(page.get_by_text("Conditions look like")).to_be_visible()
    pane.get_by_role("textbox", name="Add a rule").fill("loss NaN")
    pane.get_by_role("button", name="Add a rule").click()
    expect(pane.get_by_text("loss is nan", exact=True)).to_be_visible()
    expect(pane.get_by_role("textbox", name="Add a rule")).to_have_value("")
    point = {"run_id": run_id, "key": "loss", "value": "NaN", "timestamp": 1, "step": 3}
    assert server.post("runs/log-metric", point).is_success
    alert = pane.get_by_test_id("alert")
    expect(alert).to_contain_text("loss was NaN, at the latest at step 3.")
    expect(bell).to_have_accessible_name("Alerts, 1 open")
    alert.get_by_role("link").click()
    card = page.get_by_test_id("alerts")
    expect(card).to_contain_text("loss is nan")
    card.get_by_role("button", name="Acknowledge").click()
    expect(card).to_contain_text("Seen")
    expect(page.get_by_test_id("bell")).to_have_accessible_name("Alerts")
    page.goto(f"{server.url}/e/{experiment}")
    page.get_by_test_id("bell").click()
    page.get_by_role("button", name="Remove the rule loss is nan").click()
    expect(page.get_by_text("No rule yet.")).to_be_visible()


def test_an_alert_of_a_clock_beyond_the_calendar_has_words_for_it(
    make_server: Callable[[], Server], new_page: NewPage
) -> None:
    server = make_server()
    run_id = server.new_run("0")
    raw = ingest.encode_record(ingest.Alert(run_id, 2**62, "info", "far away"))
    body = ingest.encode_batch("ab" * 16, 1, b"", [(1, ingest.link(b"", raw), raw)])
    sent = {"content": body, "headers": {"Content-Type": ingest.CONTENT_TYPE}}
    assert httpx.post(f"{server.url}/api/logbuch/1/ingest", **sent).json()["refused"] == []
    page = new_page()
    page.goto(f"{server.url}/e/0/runs/{run_id}")
    expect(page.get_by_test_id("alerts").get_by_test_id("alert")).to_contain_text("beyond the calendar")


@pytest.mark.parametrize(
    ("theme", "language", "width"), [("light", "de", 1440), ("dark", "en", 1440), ("dark", "de", 390)]
)
def test_alerts_are_shown_well(
    make_server: Callable[[], Server], new_page: NewPage, screenshots: Path, theme: str, language: str, width: int
) -> None:
    server = make_server()
    experiment = str(server.post("experiments/create", {"name": "lora/sweep"}).json()["experiment_id"])
    for condition in ("loss is nan", "train/loss > 8", "gpu < 20 for 15m"):
        add_rule(server, experiment, condition)
    run_id = server.new_run(experiment)
    metrics = [{"key": key, "value": 9.5, "timestamp": 1, "step": 3} for key in ("loss", "train/loss")]
    metrics.append({"key": "loss", "value": "NaN", "timestamp": 2, "step": 4})
    assert server.post("runs/log-batch", {"run_id": run_id, "metrics": metrics}).is_success
    page = new_page(theme, width)
    page.add_init_script(f"localStorage.setItem('logbuch.lang', '{language}')")
    for place, path in (("experiment", ""), ("run", f"/runs/{run_id}")):
        page.goto(f"{server.url}/e/{experiment}{path}")
        bell = page.get_by_test_id("bell")
        name = "Meldungen, 2 offen" if language == "de" else "Alerts, 2 open"
        expect(bell).to_have_accessible_name(name)
        bell.click()
        pane = page.get_by_role("dialog")
        expect(pane.get_by_test_id("alert")).to_have_count(2)
        page.screenshot(path=screenshots / f"alerts-{place}-{theme}-{language}-{width}.png")
        assert violations(page) == []
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width
