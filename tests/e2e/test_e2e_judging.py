"""By what an experiment judges runs, in a browser: the value of a metric, its direction, the baseline; and the cost."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from support.pages import until
from support.seeds import send
from support.servers import Server

NewPage = Callable[..., Page]
AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
NOVEMBER = 1_795_000_000_000
HOUR = 3_600_000
VALUES = {"early": (0.8, 0.8, 0.5), "lucky": (0.5, 0.9, 0.6), "steady": (0.4, 0.7, 0.7)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("judging")
    started = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    yield started
    started.stop()


@pytest.fixture
def judged(server: Server, request: pytest.FixtureRequest) -> tuple[str, dict[str, str]]:
    """Three runs whose last, least and greatest accuracy give three different orders."""
    id_ = server.post("experiments/create", {"name": request.node.name}).json()["experiment_id"]
    runs = {}
    for number, (name, values) in enumerate(VALUES.items()):
        start = NOVEMBER + number * HOUR
        runs[name] = run = server.new_run(id_, run_name=name, start_time=start)
        points = [
            {"key": key, "value": value, "timestamp": start + step, "step": step}
            for step, value in enumerate(values)
            for key in ("eval/accuracy", "thing")
        ]
        points.append({"key": "system/energy_watt_hours", "value": 1500, "timestamp": start, "step": 0})
        send(server, run, metrics=points, params=[{"key": "seed", "value": str(number)}])
        server.post("runs/set-tag", {"run_id": run, "key": "logbuch.gpu", "value": "2 × NVIDIA A100-SXM4-80GB"})
        server.post("runs/update", {"run_id": run, "status": "FINISHED", "end_time": start + HOUR})
    return id_, runs


def opened(page: Page, server: Server, id_: str, query: str = "") -> Page:
    page.goto(f"{server.url}/e/{id_}?layout=table{query}")
    expect(rows(page)).to_have_count(3)
    return page


def rows(page: Page) -> Locator:
    return page.get_by_test_id("run-row")


def best_of(server: Server, id_: str) -> httpx.Response:
    return httpx.get(f"{server.url}/api/logbuch/1/experiments/best", params={"experiment_id": id_}, timeout=180)


def names(page: Page) -> list[str]:
    return [name.strip() for name in page.locator("[data-testid=run-row] .rname").all_inner_texts()]


def head(page: Page, column: str) -> Locator:
    return page.locator(f'.thead [data-col="{column}"]')


def cell(page: Page, name: str, column: str) -> Locator:
    return rows(page).filter(has_text=name).locator(f'[data-col="{column}"]')


def choose(page: Page, column: str, entry: str) -> None:
    head(page, column).hover()
    head(page, column).locator(".colmenu").click()
    page.get_by_role("menu").get_by_text(entry, exact=True).click()


def test_runs_are_ordered_by_any_value_of_a_metric(
    server: Server, judged: tuple[str, dict[str, str]], new_page: NewPage
) -> None:
    columns = ("metrics.eval/accuracy", "max:metrics.eval/accuracy", "min:metrics.eval/accuracy")
    page = opened(new_page(), server, judged[0], f"&cols={'~'.join(columns)}~params.seed")
    until(page, lambda: names(page) == ["steady", "lucky", "early"])
    head(page, columns[1]).locator(".sortbtn").click()
    until(page, lambda: names(page) == ["lucky", "early", "steady"])
    expect(head(page, columns[1])).to_have_attribute("aria-sort", "descending")
    expect(head(page, columns[0])).not_to_have_attribute("aria-sort", "descending")
    head(page, columns[2]).locator(".sortbtn").click()
    expect(page).to_have_url(re.compile(r"sort=-min(:|%3A)metrics.eval/accuracy(&|$)"))
    choose(page, "params.seed", "Then sort by this")
    expect(page).to_have_url(re.compile(r"sort=-min(:|%3A)metrics.eval/accuracy~params.seed"))
    until(page, lambda: names(page) == ["early", "lucky", "steady"])
    choose(page, columns[2], "Do not sort by this")
    expect(page).to_have_url(re.compile(r"sort=params.seed(&|$)"))
    page.get_by_role("columnheader", name="Run", exact=True).get_by_role("button").click()
    expect(page).to_have_url(re.compile(r"sort=attributes.run_name(&|$)"))
    until(page, lambda: names(page) == ["early", "lucky", "steady"])
    cell(page, "lucky", columns[1]).click(modifiers=["Alt"])
    expect(page.get_by_test_id("filter-input")).to_have_value("max(metrics.`eval/accuracy`) = 0.9")
    until(page, lambda: names(page) == ["lucky"])


def test_the_table_follows_a_training(server: Server, judged: tuple[str, dict[str, str]], new_page: NewPage) -> None:
    id_, runs = judged
    page = opened(new_page(), server, id_, "&cols=metrics.thing~run.duration&sort=-attributes.duration")
    expect(head(page, "run.duration")).to_have_attribute("aria-sort", "descending")
    for step, value in enumerate((0.25, 0.125), start=10):
        point = {"key": "thing", "value": value, "timestamp": NOVEMBER + step, "step": step}
        server.post("runs/log-metric", {"run_id": runs["lucky"], **point})
        expect(cell(page, "lucky", "metrics.thing")).to_have_text(f"{value:.4f}")
    rows(page).first.hover()
    late = server.new_run(id_, run_name="late", start_time=NOVEMBER)
    waiting = page.get_by_role("button", name="1 new run")
    expect(waiting).to_be_visible()
    expect(rows(page)).to_have_count(3)
    waiting.click()
    expect(rows(page)).to_have_count(4)
    server.post("runs/update", {"run_id": late, "status": "FINISHED", "end_time": NOVEMBER + 2 * HOUR})
    page.mouse.move(5, 5)
    until(page, lambda: names(page)[0] == "late")


def test_direction_and_reading_are_kept_for_everyone(
    server: Server, judged: tuple[str, dict[str, str]], new_page: NewPage
) -> None:
    id_, runs = judged
    page = opened(new_page(), server, id_, f"&cols=metrics.eval/accuracy~metrics.thing&base={runs['early']}")
    expect(cell(page, "lucky", "delta.metrics.eval/accuracy")).to_have_text("+20.0 %")
    expect(cell(page, "lucky", "delta.metrics.thing").locator(".good")).to_have_count(0)
    choose(page, "metrics.thing", "Higher is better")
    expect(cell(page, "lucky", "delta.metrics.thing").locator(".good")).to_have_count(1)
    choose(page, "metrics.eval/accuracy", "Judge by the best value")
    expect(cell(page, "lucky", "delta.metrics.eval/accuracy")).to_have_text("+12.5 %")
    expect(head(page, "delta.metrics.eval/accuracy")).to_contain_text("best")

    def kept() -> dict[str, str]:
        tags = server.get("experiments/get", experiment_id=id_).json()["experiment"]["tags"]
        return {tag["key"]: tag["value"] for tag in tags}

    until(page, lambda: kept().get("logbuch.direction.thing") == "higher")
    until(page, lambda: kept().get("logbuch.reading.eval/accuracy") == "best")
    other = opened(new_page(), server, id_)
    until(other, lambda: names(other) == ["lucky", "early", "steady"])
    expect(cell(other, "lucky", "best:metrics.eval/accuracy")).to_have_text("0.9000")
    expect(head(other, "best:metrics.eval/accuracy")).to_have_attribute("aria-sort", "descending")


@pytest.mark.parametrize(
    ("language", "asked", "higher"),
    [
        ("en", "The name thing does not tell", "Higher is better"),
        ("de", "Der Name thing sagt es nicht", "Größer ist besser"),
    ],
)
def test_a_metric_whose_name_tells_no_direction_is_asked_for_as_the_server_asks(
    server: Server,
    new_page: NewPage,
    screenshots: Path,
    request: pytest.FixtureRequest,
    language: str,
    asked: str,
    higher: str,
) -> None:
    id_ = server.post("experiments/create", {"name": request.node.name}).json()["experiment_id"]
    for number, (name, values) in enumerate(VALUES.items()):
        run = server.new_run(id_, run_name=name, start_time=NOVEMBER + number * HOUR)
        send(server, run, metrics=[{"key": "thing", "value": values[-1], "timestamp": NOVEMBER, "step": 1}])
        server.post("runs/update", {"run_id": run, "status": "FINISHED", "end_time": NOVEMBER + number * HOUR + 1})
    assert best_of(server, id_).status_code == 400
    page = new_page("dark" if language == "de" else "light")
    page.add_init_script(f"localStorage.setItem('logbuch.lang', '{language}')")
    opened(page, server, id_, "&cols=metrics.thing")
    ask = page.get_by_test_id("which-way")
    expect(ask).to_contain_text(asked)
    until(page, lambda: names(page) == ["steady", "lucky", "early"])  # the newest first: nothing tells which is best
    page.locator(".four").screenshot(path=screenshots / f"which-way-{language}.png")
    ask.get_by_role("button", name=higher).click()
    expect(ask).to_have_count(0)
    expect(page.locator(".four").get_by_role("link", name="steady")).to_be_visible()
    best = best_of(server, id_).json()
    assert (best["metric"], best["lower"], best["best"]["names"][0]) == ("thing", False, "steady")


def test_a_run_is_held_against_the_baseline(
    server: Server, judged: tuple[str, dict[str, str]], new_page: NewPage
) -> None:
    id_, runs = judged
    body = {"experiment_id": id_, "metric": "eval/accuracy", "reading": "best", "baseline": runs["early"]}
    assert server.native("experiments/judge", body).is_success
    page = new_page()
    page.goto(f"{server.url}/e/{id_}/runs/{runs['lucky']}/overview")
    against = page.get_by_test_id("against").first
    expect(against).to_have_text("+12.5 % vs baseline")
    expect(against.locator(".good")).to_have_attribute("title", "best 0.9000; early: 0.8000")
    page.goto(f"{server.url}/e/{id_}/runs/{runs['lucky']}/metrics?as=table")
    row = page.locator("[data-testid=metric-row][data-key='eval/accuracy']")
    expect(row.get_by_test_id("against")).to_have_text("+12.5 %")
    page.goto(f"{server.url}/e/{id_}/runs/{runs['early']}/metrics?as=table")
    expect(row).to_be_visible()
    expect(page.get_by_test_id("against")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_an_experiment_cost(
    server: Server, judged: tuple[str, dict[str, str]], new_page: NewPage, screenshots: Path, theme: str
) -> None:
    page = opened(new_page(theme), server, judged[0])
    page.get_by_role("button", name="More").first.click()
    page.get_by_role("menuitem", name="Cost").click()
    table = page.get_by_test_id("cost-table")
    expect(table.locator("tbody tr")).to_have_text([re.compile(r"^2026-11.*3.*3.*6.*4\.5")])
    expect(table.locator("tfoot tr")).to_contain_text("All")
    expect(page.get_by_text("price_gpu_hour")).to_be_visible()
    page.screenshot(path=screenshots / f"experiment-cost-{theme}.png")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
    assert [(item["id"], [node["html"][:200] for node in item["nodes"]][:3]) for item in found["violations"]] == []
    page.keyboard.press("Escape")
    expect(table).to_have_count(0)


def test_the_shown_columns_are_saved(server: Server, judged: tuple[str, dict[str, str]], new_page: NewPage) -> None:
    page = opened(new_page(), server, judged[0], "&cols=best:metrics.eval/accuracy~run.duration~params.seed")
    page.get_by_role("button", name="More").first.click()
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name="Shown columns as CSV").click()
    saved = list(csv.reader(Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()))
    assert saved[0][-2:] == ["max(metrics.eval/accuracy)", "params.seed"]
    assert sorted(line[-2:] for line in saved[1:]) == [["0.7", "2"], ["0.8", "0"], ["0.9", "1"]]
