"""The page in a real browser."""

from __future__ import annotations

import json
import re
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Response, expect

from support.pages import until
from support.seeds import MILLION, SPIKE_STEP, Seeded
from support.servers import Server

NewPage = Callable[..., Page]


def experiment(seeded: Seeded) -> str:
    return f"{seeded.server.url}/e/{seeded.experiment_id}"


def test_from_the_experiments_to_a_run(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{seeded.server.url}/experiments")
    page.get_by_test_id("experiment-row").filter(has_text="mistral-lora").get_by_role("link").first.click()
    expect(page.get_by_test_id("run-row")).to_have_count(len(seeded.runs))
    page.get_by_test_id("run-row").filter(has_text="standard_lr1e-4").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(rf"/e/{seeded.experiment_id}/runs/{seeded.runs['standard_lr1e-4']}"))
    expect(page.get_by_test_id("run-status")).to_contain_text("Finished")
    expect(page.get_by_test_id("param-row").filter(has_text="learning_rate")).to_contain_text("1e-4")
    expect(page.get_by_test_id("chart").first).to_be_visible()
    page.go_back()
    expect(page.get_by_test_id("runs-table")).to_be_visible()


def test_filter_and_its_errors(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    page.goto(experiment(seeded))
    rows = page.get_by_test_id("run-row")
    expect(rows).to_have_count(12)
    field = page.get_by_test_id("filter-input")
    field.fill("params.lora_rank = '16' AND metrics.eval/loss < 1")
    field.press("Enter")
    expect(rows).to_have_count(4)
    expect(page).to_have_url(re.compile(re.escape("q=")))
    page.reload()
    expect(rows).to_have_count(4)
    field.fill("params.lora_rank = ")
    field.press("Enter")
    expect(page.get_by_test_id("filter-error")).to_be_visible()
    expect(rows).to_have_count(4)
    field.fill("aggressive")
    field.press("Enter")
    expect(rows).to_have_count(4)
    expect(page.get_by_test_id("filter-error")).to_have_count(0)


def test_sorting_by_a_metric(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{experiment(seeded)}?layout=table")
    rows = page.get_by_test_id("run-row")
    expect(rows).to_have_count(12)
    query = {"experiment_ids": [seeded.experiment_id], "order_by": ["metrics.eval/loss ASC"]}
    expected = [run["info"]["run_id"] for run in seeded.server.post("runs/search", query).json()["runs"]]
    # The main metric, best first, is how an experiment opens.
    until(page, lambda: rows.evaluate_all("all => all.map(row => row.dataset.runId)") == expected)


def test_selecting_and_comparing(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    page.goto(experiment(seeded))
    for name in ("standard_lr1e-4", "aggressive_lr1e-4"):
        page.get_by_test_id("run-row").filter(has_text=name).get_by_role("checkbox").check()
    page.get_by_test_id("compare-button").click()
    expect(page).to_have_url(re.compile("/compare"))
    differing = page.locator("[data-testid=compare-row][data-differs=true]")
    expect(differing.filter(has_text="lora_rank")).to_have_count(1)
    expect(differing.filter(has_text="learning_rate")).to_have_count(0)
    expect(page.get_by_test_id("chart").first).to_be_visible()


def test_csv(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    page.goto(experiment(seeded))
    with page.expect_download() as waiting:
        page.get_by_test_id("csv-link").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert len(text.splitlines()) == 13
    assert "metrics.eval/loss" in text.splitlines()[0]


def test_artifacts_are_listed_and_previewed(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{seeded.server.url}/e/{seeded.experiment_id}/runs/{seeded.runs['standard_lr1e-4']}/artifacts")
    page.get_by_test_id("artifact-row").filter(has_text="report.md").first.click()
    expect(page.get_by_text("All is well.")).to_be_visible()


def test_a_million_points_reach_the_browser_as_buckets_with_their_spike(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    answers: list[Response] = []
    others: list[str] = []

    def note(response: Response) -> None:
        if response.url.endswith("/metrics/buckets"):
            answers.append(response)
        elif "get-history" in response.url:
            others.append(response.url)

    page.on("response", note)
    page.goto(f"{seeded.server.url}/e/0/runs/{seeded.million}/metrics")
    expect(page.get_by_test_id("chart").filter(has_text="train/loss")).to_be_visible()
    expect(page.locator(".plotbox[aria-busy=false] .u-over").first).to_be_visible()
    expect(page.locator(".plotbox[aria-busy=true]")).to_have_count(0)
    assert others == []
    assert answers
    for answer in answers:
        body = answer.body()
        (length,) = struct.unpack_from("<I", body)
        header = json.loads(body[4 : 4 + length])
        assert sum(series["buckets"] for series in header["series"]) <= 4000
        assert len(body) < 500_000
    series = header["series"][0]
    assert series["points"] == MILLION
    columns = {name: place for place, name in enumerate(header["columns"])}
    count, start = series["buckets"], 4 + length + series["offset"]
    greatest = struct.unpack_from(f"<{count}d", body, start + 8 * count * columns["max"])
    assert max(greatest) == 25.0
    first = struct.unpack_from(f"<{count}d", body, start + 8 * count * columns["x"])
    assert abs(first[greatest.index(25.0)] - SPIKE_STEP) < 2 * MILLION / count


def test_a_run_is_followed_live(make_server: Callable[..., Server], new_page: NewPage) -> None:
    server = make_server()
    page = new_page()
    page.goto(server.url)
    expect(page.get_by_test_id("empty-start")).to_be_visible()
    experiment = server.post("experiments/create", {"name": "live"}).json()["experiment_id"]
    run_id = server.new_run(experiment, run_name="live-run", start_time=int(time.time() * 1000))
    expect(page.get_by_text("live-run").first).to_be_visible()
    expect(page.get_by_test_id("empty-start")).to_have_count(0)
    page.goto(f"{server.url}/e/{experiment}/runs/{run_id}/overview")
    expect(page.get_by_test_id("run-status")).to_contain_text("Running")
    for step, value in enumerate((0.75, 0.5, 0.125)):
        point = {"key": "loss", "value": value, "timestamp": step, "step": step}
        server.post("runs/log-metric", {"run_id": run_id, **point})
        expect(page.get_by_text(re.compile(rf"^{str(value)[:4]}")).first).to_be_visible()
    server.post("runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": int(time.time() * 1000)})
    expect(page.get_by_test_id("run-status")).to_contain_text("Finished")
    expect(page.locator("[data-testid=live-state][data-state=offline]")).to_have_count(0)
    server.kill()
    expect(page.locator("[data-testid=live-state][data-state=offline]")).to_be_visible()
    server.start()
    expect(page.locator("[data-testid=live-state][data-state=offline]")).to_have_count(0)


def test_mlflows_addresses_lead_to_ours(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    run_id = seeded.runs["standard_lr1e-4"]
    page.goto(f"{seeded.server.url}/#/experiments/{seeded.experiment_id}/runs/{run_id}")
    expect(page).to_have_url(re.compile(rf"/e/{seeded.experiment_id}/runs/{run_id}"))


def test_what_others_wrote_does_not_run(seeded: Seeded, new_page: NewPage) -> None:
    server = seeded.server
    attack = "<img src=x onerror=document.title='pwned'>"
    run_id = server.new_run("0", run_name=attack)
    body: dict[str, Any] = {
        "params": [{"key": "p", "value": attack}],
        "tags": [{"key": "mlflow.note.content", "value": f"{attack}\n\n[a](javascript:document.title='pwned')"}],
    }
    server.post("runs/log-batch", {"run_id": run_id, **body})
    page = new_page()
    page.goto(f"{server.url}/e/0/runs/{run_id}/overview")
    expect(page.get_by_test_id("param-row").first).to_contain_text("<img")
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.title() != "pwned"


def test_keys(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    page.goto(experiment(seeded))
    expect(page.get_by_test_id("run-row")).to_have_count(12)
    page.keyboard.press("f")
    expect(page.get_by_test_id("filter-input")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 700, "y": 20})
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page).to_have_url(f"{seeded.server.url}/")
