"""The answers on the page are those of the server: best, why, baseline; and findings stand in the charts."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from support.servers import Server

NewPage = Callable[..., Page]
SPIKE = 150


def _run(server: Server, experiment: str, name: str, params: dict[str, Any], losses: list[float]) -> str:
    run_id = server.new_run(experiment, run_name=name, start_time=1)
    given = [{"key": key, "value": str(value)} for key, value in params.items()]
    points = [{"key": "eval/loss", "value": loss, "timestamp": step, "step": step} for step, loss in enumerate(losses)]
    assert server.post("runs/log-batch", {"run_id": run_id, "params": given, "metrics": points}).status_code == 200
    assert server.post("runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": 2}).status_code == 200
    return run_id


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("answers")
    started = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    yield started
    started.stop()


@pytest.fixture
def judged(server: Server, request: pytest.FixtureRequest) -> tuple[Server, str, list[str]]:
    """Four rates with three seeds each, read by the best value; the last value of the best is bad."""
    experiment = server.post("experiments/create", {"name": request.node.name}).json()["experiment_id"]
    runs = []
    for number in range(12):
        rate, seed = number // 3, number % 3
        losses = [3.0, 1.0 + rate / 10 + seed / 1000, 9.0 - rate]
        runs.append(_run(server, experiment, f"lr{rate}-{seed}", {"lr": rate, "seed": seed}, losses))
    server.native("experiments/judge", {"experiment_id": experiment, "metric": "eval/loss", "reading": "best"})
    return server, experiment, runs


def test_the_best_run_is_the_servers(judged: Any, new_page: NewPage, screenshots: Path) -> None:
    server, experiment, _ = judged
    page = new_page("light")
    page.goto(f"{server.url}/e/{experiment}")
    panel = page.locator(".four")
    expect(panel.get_by_role("link", name="lr0-0")).to_be_visible()
    expect(panel).to_contain_text("of 12")
    expect(panel.get_by_test_id("lead")).to_contain_text("3 seeds")
    expect(panel).to_contain_text("lr explains most of it")
    page.screenshot(path=screenshots / "answers-light.png")
    page = new_page("dark")
    page.goto(f"{server.url}/e/{experiment}?q=params.lr%20%3D%20%271%27")
    expect(page.locator(".four").get_by_role("link", name="lr1-0")).to_be_visible()
    expect(page.locator(".four")).to_contain_text("Too few runs")
    page.screenshot(path=screenshots / "answers-dark.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("The four answers", "of 12", "± 0.001, 3 seeds", "lr explains most of it", "Was it stable")),
        ("de", ("Die vier Antworten", "von 12", "± 0,001, 3 Seeds", "War er stabil", "Nochmal starten")),
    ],
)
def test_the_panel_in_both_languages_and_themes(
    judged: Any, new_page: NewPage, screenshots: Path, theme: str, language: str, said: tuple[str, ...]
) -> None:
    server, experiment, _ = judged
    page = new_page(theme)
    page.add_init_script(f"localStorage.setItem('logbuch.lang', '{language}')")
    page.goto(f"{server.url}/e/{experiment}")
    name, *texts = said
    panel = page.get_by_role("region", name=name)
    expect(panel.get_by_role("link", name="lr0-0")).to_be_visible()
    for text in texts:
        expect(panel).to_contain_text(text)
    panel.screenshot(path=screenshots / f"panel-{theme}-{language}.png")


def test_a_pinned_baseline_is_there_for_everyone(judged: Any, new_page: NewPage) -> None:
    server, experiment, runs = judged
    pin = {"experiment_id": experiment, "baseline": runs[3]}
    assert server.native("experiments/judge", pin).status_code == 200
    page = new_page("light")
    page.goto(f"{server.url}/e/{experiment}?cols=metrics.eval/loss")
    expect(
        page.get_by_test_id("run-row").locator("[data-col='delta.metrics.eval/loss']").filter(has_text="base")
    ).to_have_count(1)
    expect(page.locator(".four")).to_contain_text("vs baseline")
    assert server.native("experiments/judge", pin | {"baseline": ""}).status_code == 200


def test_findings_stand_in_the_chart(server: Server, new_page: NewPage, screenshots: Path) -> None:
    other = server.post("experiments/create", {"name": "unstable"}).json()["experiment_id"]
    losses = [1 + 2 * math.exp(-step / 40) for step in range(300)]
    losses[SPIKE] = 30.0
    run_id = _run(server, other, "spiky", {"lr": 1}, losses)
    for theme in ("light", "dark"):
        page = new_page(theme)
        page.goto(f"{server.url}/e/{other}/runs/{run_id}/metrics")
        chart = page.locator("[data-testid='chart'][data-key='eval/loss']")
        expect(chart.locator(".plotbox")).to_have_attribute("aria-busy", "false")
        expect(chart.get_by_test_id("marks")).to_have_text("⚑ 1 finding")
        expect(chart.get_by_test_id("marks")).to_have_attribute("title", re.compile(str(SPIKE)))
        page.screenshot(path=screenshots / f"findings-{theme}.png")
    svg = saved(page, chart, "Save as SVG")
    assert 'fill-opacity="0.1"' in svg  # the stretch
    assert svg.count('stroke-dasharray="3 3"') == 1  # and where it begins
    assert saved(page, chart, "Save as PNG", "rb")[:4] == b"\x89PNG"


def saved(page: Page, chart: Locator, name: str, mode: str = "r") -> Any:
    chart.get_by_role("button", name="Menu of chart eval/loss").click()
    with page.expect_download() as started:
        page.get_by_role("menuitem", name=name).click()
    with Path(started.value.path()).open(mode) as file:
        return file.read()


def test_findings_of_several_runs_have_flags(server: Server, new_page: NewPage) -> None:
    other = server.post("experiments/create", {"name": "two"}).json()["experiment_id"]
    losses = [1 + 2 * math.exp(-step / 200) for step in range(300)]
    calm = _run(server, other, "calm", {"lr": 1}, losses)
    losses[SPIKE] = 30.0
    spiky = _run(server, other, "spiky", {"lr": 2}, losses)
    until_examined(server, [calm, spiky])
    page = new_page()
    for address in (f"/e/{other}?layout=charts", f"/compare?runs={calm},{spiky}&part=curves"):
        page.goto(server.url + address)
        chart = page.locator("[data-testid='chart'][data-key='eval/loss']")
        expect(chart.get_by_test_id("marks")).to_have_text("⚑ 1 finding")
        expect(chart.get_by_test_id("marks")).to_have_attribute("title", re.compile(f"^spiky: .*{SPIKE}"))


def until_examined(server: Server, runs: list[str]) -> None:
    """The server examines runs by itself, a moment after they have changed."""
    deadline = time.monotonic() + 60
    while len(server.native("runs/verdicts", {"run_ids": runs}).json()["verdicts"]) < len(runs):
        assert time.monotonic() < deadline
        time.sleep(0.1)
