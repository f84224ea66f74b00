"""The ways through the page that the seed documents describe, by the mouse and by the keyboard alone.

"MLflow UI Navigation", "Live-Tracking" and "Runs vergleichen" of the LoRA guide; "Experiment View", "Run Details",
"Charts" and "Comparing Runs" of Storyteller's. Live tracking: test_e2e_page; registering models: test_e2e_models.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from support.pages import until
from support.seeds import artifact, send
from support.servers import Server

NewPage = Callable[..., Page]
CONFIGS = {"standard": ("2e-4", "16"), "aggressive": ("5e-4", "32"), "minimal": ("1e-4", "8")}
MOST_STOPS = 120


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str]]]:
    """The hello world of the guide, and three LoRA runs with system metrics and files."""
    folder = tmp_path_factory.mktemp("taught")
    server = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    hello = server.post("experiments/create", {"name": "hello-mlflow"}).json()["experiment_id"]
    run = server.new_run(hello, run_name="hello", start_time=1_795_000_000_000)
    points = [point("loss", 1.0 - step * 0.1, step) for step in range(10)]
    given = [{"key": "learning_rate", "value": "0.001"}, {"key": "batch_size", "value": "32"}]
    send(server, run, metrics=points, params=given)
    server.post("runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1_795_000_009_000})
    lora = server.post("experiments/create", {"name": "aws-rag-qa-mistral-lora"}).json()["experiment_id"]
    runs = {name: train(server, lora, number, name) for number, name in enumerate(CONFIGS)}
    yield server, runs
    server.stop()


def point(key: str, value: float, step: int) -> dict[str, Any]:
    return {"key": key, "value": value, "timestamp": 1_795_000_000_000 + 1000 * step, "step": step}


def train(server: Server, experiment: str, number: int, name: str) -> str:
    rate, rank = CONFIGS[name]
    run = server.new_run(experiment, run_name=name, start_time=1_795_000_000_000 + number)
    points = []
    for step in range(60):
        loss = math.exp(-step / 20) + 0.3 + number / 10
        points += [point("train/loss", loss, step), point("system/gpu_0_utilization_percentage", 90.0, step)]
        points += [point("eval/loss", loss + 0.05, step)] if step % 10 == 9 else []
    given = [{"key": "learning_rate", "value": rate}, {"key": "lora_r", "value": rank}]
    send(server, run, metrics=points, params=given)
    artifact(server, f"{experiment}/{run}/artifacts/adapter/adapter_config.json", b'{"r": 16}')
    server.post("runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1_795_000_060_000})
    return run


def rows(page: Page) -> Locator:
    return page.get_by_test_id("run-row")


def tab(page: Page, name: str) -> Locator:
    """A tab of the run or of the comparison; its count stands behind its name."""
    return page.locator(".tabs").get_by_role("link", name=re.compile(rf"^{name}( ?\d+)?$"))


def drawn(page: Page, key: str) -> None:
    chart = page.locator(f"[data-testid=chart][data-key='{key}']")
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart.locator(".plotbox")).to_have_attribute("aria-busy", "false")


def order(page: Page) -> list[str]:
    return rows(page).locator(".rname").all_inner_texts()


# -- by the mouse --------------------------------------------------------------------------------------------------


def test_hello_world_as_the_guide_shows_it(taught: Any, new_page: NewPage) -> None:
    """Schritt 4: the experiment, a run with its parameters, the loss curve from 1.0 to 0.1."""
    server, _ = taught
    page = new_page()
    page.goto(server.url)
    page.get_by_role("link", name="Experiments", exact=True).first.click()
    page.get_by_test_id("experiment-row").filter(has_text="hello-mlflow").get_by_role("link").first.click()
    expect(rows(page)).to_have_count(1)
    rows(page).get_by_role("link", name="hello").click()
    for key, value in (("learning_rate", "0.001"), ("batch_size", "32")):
        expect(page.get_by_test_id("param-row").filter(has_text=key)).to_contain_text(value)
    drawn(page, "loss")
    plot = page.locator("[data-testid=chart][data-key='loss'] .plot").first
    expect(plot).to_have_attribute("aria-label", re.compile("best 0.1000 at 9"))


def test_the_basics_of_navigation(taught: Any, new_page: NewPage) -> None:
    """MLflow UI Navigation (Basics): sort, search, details with system metrics, CSV."""
    server, _ = taught
    page = new_page()
    page.goto(f"{server.url}/experiments")
    page.get_by_test_id("experiment-row").filter(has_text="mistral-lora").get_by_role("link").first.click()
    expect(rows(page)).to_have_count(3)
    until(page, lambda: order(page) == ["standard", "aggressive", "minimal"])  # best first
    page.get_by_role("button", name=re.compile("^Sort")).click()
    page.get_by_role("menuitemradio").last.click()
    expect(page).to_have_url(re.compile("sort="))
    page.get_by_label("Filter runs").fill("params.lora_r = '32'")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Clear filter").first.click()
    expect(rows(page)).to_have_count(3)
    with page.expect_download() as waiting:
        page.get_by_test_id("csv-link").click()
    with Path(waiting.value.path()).open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) == 4
    rows(page).get_by_role("link", name="aggressive").click()
    expect(page.get_by_test_id("run-status")).to_contain_text("Finished")
    tab(page, "Parameters").click()
    expect(page.get_by_test_id("param-row").filter(has_text="lora_r")).to_contain_text("32")
    tab(page, "Metrics").click()
    drawn(page, "train/loss")
    tab(page, "System").click()
    drawn(page, "system/gpu_0_utilization_percentage")
    tab(page, "Artifacts").click()
    page.get_by_role("button", name="adapter").click()
    page.get_by_role("button", name="adapter_config.json").click()
    expect(page.get_by_test_id("preview")).to_contain_text("16")


def test_two_runs_are_compared(taught: Any, new_page: NewPage) -> None:
    """Runs vergleichen: both checkboxes, Compare, then parallel coordinates, scatter, side by side; and lines."""
    server, _ = taught
    page = new_page()
    page.goto(f"{server.url}/experiments")
    page.get_by_test_id("experiment-row").filter(has_text="mistral-lora").get_by_role("link").first.click()
    for name in ("standard", "aggressive"):
        rows(page).filter(has_text=name).get_by_role("checkbox").check()
    page.get_by_test_id("selection-bar").get_by_role("button", name=re.compile("^Compare")).click()
    expect(page.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    row = page.locator("[data-testid=compare-row][data-key='lora_r']")
    expect(row).to_contain_text(re.compile("16.*32"))
    expect(row).to_have_attribute("data-differs", "true")
    tab(page, "Parallel coordinates").click()
    expect(page.get_by_test_id("parallel").locator("[data-run]")).to_have_count(2)
    tab(page, "Scatter").click()
    expect(page.get_by_test_id("scatter-point")).to_have_count(2)
    tab(page, "Curves").click()
    drawn(page, "train/loss")
    tab(page, "Table").click()
    expect(page.get_by_test_id("compare-column")).to_have_count(2)


# -- by the keyboard alone -----------------------------------------------------------------------------------------


# A field stands in a frame, which has the ring in its place; a row of the table has it around its cells.
_RINGED = """() => {
  const at = document.activeElement;
  const ringed = (node) => {
    const { outlineStyle, boxShadow } = node ? getComputedStyle(node) : { outlineStyle: 'none', boxShadow: 'none' };
    return outlineStyle !== 'none' || boxShadow !== 'none';
  };
  const frame = at.matches('input') ? at.closest('label, .filter') : null;
  return at === document.body || [at, frame, at.querySelector('.td')].some(ringed);
}"""


def reach(page: Page, target: Locator) -> Locator:
    """Goes to something by the Tab key; wherever it stops on the way, that is to be seen."""
    expect(target).to_be_visible()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        assert page.evaluate(_RINGED), page.evaluate("document.activeElement.outerHTML.slice(0, 300)")
        if target.evaluate("node => node === document.activeElement"):
            return target
    raise AssertionError("the Tab key does not lead there")


def test_the_same_ways_by_the_keyboard_alone(taught: Any, new_page: NewPage) -> None:
    server, _ = taught
    page = new_page()
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("e")
    link = page.get_by_test_id("experiment-row").filter(has_text="mistral-lora").get_by_role("link").first
    reach(page, link).press("Enter")
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("f")  # search
    expect(page.get_by_test_id("filter-input")).to_be_focused()
    page.keyboard.type("params.lora_r = '32'")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Escape")
    reach(page, page.get_by_role("button", name="Clear filter").first).press("Enter")
    expect(rows(page)).to_have_count(3)
    reach(page, page.get_by_role("button", name=re.compile("^Sort"))).press("Enter")
    expect(page.get_by_role("menuitemradio").first).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("sort="))
    with page.expect_download() as waiting:
        reach(page, page.get_by_test_id("csv-link")).press("Enter")
    assert Path(waiting.value.path()).stat().st_size > 100
    for _ in range(2):  # two runs, and compare them
        page.keyboard.press("j")
        page.keyboard.press("x")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    for name, shown in (("Parallel coordinates", "parallel"), ("Scatter", "scatter"), ("Table", "side-by-side")):
        reach(page, tab(page, name)).press("Enter")
        expect(page.get_by_test_id(shown)).to_be_visible()
    reach(page, page.get_by_test_id("compare-column").first.get_by_role("link")).press("Enter")
    expect(page.get_by_test_id("run-status")).to_contain_text("Finished")
    for name in ("Parameters", "Metrics", "System", "Artifacts"):
        reach(page, tab(page, name)).press("Enter")
        expect(tab(page, name)).to_have_attribute("aria-current", "page")
    reach(page, page.get_by_role("button", name="adapter")).press("Enter")
    reach(page, page.get_by_role("button", name="adapter_config.json")).press("Enter")
    expect(page.get_by_test_id("preview")).to_contain_text("16")
