"""The runs table in a real browser: columns, sorting, groups, bulk actions, saved views, 500 columns."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import arro3.io
import pytest
from playwright.sync_api import Locator, Page, expect

from support.pages import settled, steady, until
from support.seeds import Seeded, artifact, send
from support.servers import Server

NewPage = Callable[..., Page]
AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def sweep(seeded: Seeded, request: pytest.FixtureRequest) -> tuple[Server, str, list[str]]:
    """An experiment of its own with six short runs, which a test may change."""
    server = seeded.server
    name = f"table/{request.node.name}"
    id_ = server.post("experiments/create", {"name": name}).json()["experiment_id"]
    runs = []
    for number in range(6):
        run = server.new_run(id_, run_name=f"run-{number}", start_time=1_795_000_000_000 + number * 1000)
        points = [
            {"key": "eval/loss", "value": 1 + number / 10 - step / 100, "timestamp": step, "step": step}
            for step in range(3)
        ]
        points.append({"key": "train/loss", "value": 2 - number / 10, "timestamp": 1, "step": 1})
        params = [
            {"key": "lr", "value": ["0.1", "0.01", "0.001"][number % 3]},
            {"key": "rank", "value": str(8 * (1 + number // 3))},
            {"key": "same", "value": "always"},
        ]
        send(server, run, metrics=points, params=params)
        server.post("runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1_795_000_100_000})
        runs.append(run)
    return server, id_, runs


def open_table(new_page: NewPage, server: Server, id_: str, query: str = "") -> Page:
    page = new_page()
    page.goto(f"{server.url}/e/{id_}?layout=table{query}")
    expect(page.get_by_test_id("runs-table")).to_be_visible()
    return page


def rows(page: Page) -> Locator:
    return page.get_by_test_id("run-row")


def head(page: Page, column: str) -> Locator:
    return page.locator(f'.thead [data-col="{column}"]')


def cell(page: Page, row: int, column: str) -> Locator:
    return rows(page).nth(row).locator(f'[data-col="{column}"]')


def columns(page: Page) -> list[str]:
    found: list[str] = page.locator(".thead .tr.h [data-col]").evaluate_all("all => all.map(one => one.dataset.col)")
    return found


def width(page: Page, column: str) -> float:
    return float(head(page, column).evaluate("one => one.getBoundingClientRect().width"))


def shown(page: Page) -> list[str]:
    return [re.sub(r"\s", "", name) for name in rows(page).locator(".rname").all_inner_texts()]


def choose(page: Page, column: str, entry: str) -> None:
    head(page, column).hover()
    head(page, column).locator(".colmenu").click()
    page.get_by_role("menu").get_by_text(entry, exact=True).click()


def test_columns_are_moved_sized_pinned_and_hidden(sweep: Any, new_page: NewPage) -> None:
    server, id_, _ = sweep
    page = open_table(new_page, server, id_, "&cols=metrics.eval/loss~params.lr~params.rank~params.same")
    expect(rows(page)).to_have_count(6)
    source, target = steady(page, head(page, "params.rank")), steady(page, head(page, "metrics.eval/loss"))
    page.mouse.move(source["x"] + source["width"] - 25, source["y"] + 14)
    page.mouse.down()
    page.mouse.move(target["x"] + 40, target["y"] + 14, steps=6)
    page.mouse.up()
    until(page, lambda: columns(page) == ["params.rank", "metrics.eval/loss", "params.lr", "params.same"])
    head(page, "params.lr").locator(".sortbtn").focus()
    page.keyboard.press("Control+Shift+ArrowLeft")
    until(page, lambda: columns(page) == ["params.rank", "params.lr", "metrics.eval/loss", "params.same"])
    before = steady(page, head(page, "params.same"))
    edge = before["x"] + before["width"] - 3
    page.mouse.move(edge, before["y"] + 14)
    page.mouse.down()
    page.mouse.move(edge + 60, before["y"] + 14, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"w=params\.same(:|%3A)"))
    until(page, lambda: abs(width(page, "params.same") - before["width"] - 60) < 3)
    head(page, "params.same").locator(".edge").dblclick()
    until(page, lambda: width(page, "params.same") < before["width"] + 50)
    choose(page, "params.same", "Pin left")
    until(page, lambda: columns(page)[0] == "params.same")
    expect(page.locator(".thead .pinned [data-col='params.same']")).to_have_count(1)
    choose(page, "params.rank", "Hide")
    until(page, lambda: "params.rank" not in columns(page))
    address = page.url
    page.reload()
    expect(rows(page)).to_have_count(6)
    until(page, lambda: columns(page) == ["params.same", "params.lr", "metrics.eval/loss"])
    page.go_back()
    expect(head(page, "params.rank")).to_be_visible()
    expect(page).not_to_have_url(address)


def test_sorting_by_several_and_only_what_differs(sweep: Any, new_page: NewPage) -> None:
    server, id_, _ = sweep
    page = open_table(new_page, server, id_, "&cols=metrics.eval/loss~params.lr~params.rank~params.same")
    head(page, "params.rank").locator(".sortbtn").click()
    head(page, "metrics.eval/loss").locator(".sortbtn").click(modifiers=["Shift"])
    head(page, "metrics.eval/loss").locator(".sortbtn").click(modifiers=["Shift"])
    expect(page).to_have_url(re.compile(r"sort=params.rank~-metrics.eval/loss"))
    expect(rows(page).first).to_contain_text("run-2")
    until(page, lambda: shown(page) == ["run-2", "run-1", "run-0", "run-5", "run-4", "run-3"])
    expect(head(page, "metrics.eval/loss")).to_have_attribute("aria-sort", "descending")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Only differing").click()
    expect(head(page, "params.same")).to_have_count(0)
    expect(head(page, "params.lr")).to_be_visible()


def test_what_a_metric_shows_and_its_direction(sweep: Any, new_page: NewPage) -> None:
    server, id_, _ = sweep
    page = open_table(new_page, server, id_, "&cols=metrics.eval/loss~params.lr")
    expect(cell(page, 0, "metrics.eval/loss")).to_have_text("0.980")
    choose(page, "metrics.eval/loss", "Maximum")
    expect(cell(page, 0, "max:metrics.eval/loss")).to_have_text("1.000")
    choose(page, "max:metrics.eval/loss", "Best value")
    expect(cell(page, 0, "best:metrics.eval/loss")).to_have_text("0.980")
    choose(page, "best:metrics.eval/loss", "Higher is better")
    expect(cell(page, 0, "best:metrics.eval/loss")).to_have_text("1.500")
    choose(page, "params.lr", "Group by this")
    expect(page.get_by_test_id("group-row")).to_have_count(3)


def test_a_click_on_a_value_filters(sweep: Any, new_page: NewPage) -> None:
    server, id_, _ = sweep
    page = open_table(new_page, server, id_, "&cols=params.lr~params.rank")
    expect(rows(page)).to_have_count(6)
    cell(page, 0, "params.lr").click(modifiers=["Alt"])
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_test_id("filter-input")).to_have_value("params.lr = '0.1'")
    cell(page, 0, "params.rank").click(button="right")
    page.get_by_role("menu").get_by_text("Without 8").click()
    expect(rows(page)).to_have_count(1)
    field = page.get_by_test_id("filter-input")
    field.fill("params.lr = '0.1' AND params.rank = '99'")
    field.press("Enter")
    expect(page.get_by_text("No run matches")).to_be_visible()
    page.get_by_role("button", name=re.compile("Drop params.rank")).click()
    expect(rows(page)).to_have_count(2)


def test_the_keyboard_alone_reaches_cells_and_groups(sweep: Any, new_page: NewPage) -> None:
    server, id_, _ = sweep
    page = open_table(new_page, server, id_, "&cols=params.lr~params.rank")
    expect(rows(page)).to_have_count(6)
    for key in ("j", "ArrowRight", "="):
        page.keyboard.press(key)
    page.get_by_role("menuitem", name="Only 0.1").press("Enter")
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("u")
    page.get_by_role("dialog").get_by_label("Search parameters and tags").fill("rank")
    page.get_by_role("dialog").get_by_role("checkbox").press("Space")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("group-row")).to_have_count(2)
    page.get_by_test_id("group-row").first.focus()
    page.keyboard.press("ArrowRight")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("ArrowLeft")
    expect(rows(page)).to_have_count(0)


def test_groups_show_mean_and_spread_and_open(sweep: Any, new_page: NewPage, screenshots: Path) -> None:
    server, id_, _ = sweep
    chosen = "metrics.eval/loss~params.rank~params.lr~params.same"
    page = open_table(new_page, server, id_, f"&cols={chosen}&group=params.rank")
    groups = page.get_by_test_id("group-row")
    expect(groups).to_have_count(2)
    differing = groups.first.locator("[data-col='params.lr'] span").first
    expect(differing).to_contain_text("3 values")
    expect(differing).to_have_attribute("title", re.compile(r"^(0\.\d+\n?){3}$"))
    expect(groups.first.locator("[data-col='params.same']")).to_have_text("always")
    expect(groups.first).to_contain_text("8")
    expect(groups.first.locator("[data-col='metrics.eval/loss']")).to_contain_text("1.08")
    expect(groups.first.locator("[data-col='metrics.eval/loss']")).to_contain_text("± 0.1000")
    groups.first.get_by_role("button").click()
    expect(rows(page)).to_have_count(3)
    page.screenshot(path=screenshots / "table-groups.png")
    address = page.url
    page.goto(address)
    expect(rows(page)).to_have_count(3)


def test_groups_stand_on_a_phone_too(sweep: Any, new_page: NewPage) -> None:
    server, id_, _ = sweep
    page = new_page("light", 390, 844)
    page.goto(f"{server.url}/e/{id_}?cols=metrics.eval/loss~params.rank~params.lr&group=params.rank")
    groups = page.get_by_test_id("group-row")
    expect(groups).to_have_count(2)
    button = groups.first.get_by_role("button")
    expect(button).to_have_accessible_name("8 3 runs 1.080 ± 0.100")
    button.click()
    expect(rows(page)).to_have_count(3)
    expect(button).to_have_attribute("aria-expanded", "true")
    button.click()
    expect(rows(page)).to_have_count(0)


def test_an_experiment_is_printed_with_its_table_and_charts(sweep: Any, new_page: NewPage) -> None:
    server, id_, _ = sweep
    page = new_page("dark")
    page.goto(f"{server.url}/e/{id_}?cols=metrics.eval/loss~params.lr")
    expect(rows(page)).to_have_count(6)
    expect(page.locator(".chart canvas").first).to_be_visible()
    settled(page)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    paper = page.get_by_test_id("paper-table")
    expect(paper.locator("tbody tr")).to_have_count(6)
    expect(paper.locator("thead th")).to_have_count(3)
    surface = "encodeURIComponent(getComputedStyle(document.documentElement).getPropertyValue('--surface').trim())"
    light = re.compile("fill%3D%22" + re.escape(page.evaluate(surface)))
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.locator(".chart img.printed").first).to_have_attribute("src", light)
    page.emulate_media(media="print")
    expect(paper).to_be_visible()
    expect(page.get_by_test_id("runs-table")).to_be_hidden()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(paper).to_have_count(0)
    expect(rows(page)).to_have_count(6)


def test_a_baseline_shows_the_change_of_every_metric(sweep: Any, new_page: NewPage) -> None:
    server, id_, runs = sweep
    page = open_table(new_page, server, id_, f"&cols=metrics.eval/loss~metrics.train/loss~params.lr&base={runs[0]}")
    expect(rows(page)).to_have_count(6)
    until(
        page,
        lambda: (
            columns(page)
            == [
                "metrics.eval/loss",
                "delta.metrics.eval/loss",
                "metrics.train/loss",
                "delta.metrics.train/loss",
                "params.lr",
            ]
        ),
    )
    expect(cell(page, 0, "delta.metrics.eval/loss")).to_have_text("base")
    expect(cell(page, 1, "delta.metrics.eval/loss")).to_have_text("+10.2 %")
    expect(cell(page, 1, "params.lr")).to_have_class(re.compile("diff"))


def select(page: Page, *names: str) -> None:
    for name in names:
        rows(page).filter(has_text=name).get_by_role("checkbox").check()


def test_bulk_tags_and_archiving_are_undone(sweep: Any, new_page: NewPage) -> None:
    server, id_, _ = sweep
    page = open_table(new_page, server, id_, "&cols=tags.phase~params.lr")
    select(page, "run-1", "run-2")
    bar = page.get_by_test_id("selection-bar")
    bar.get_by_role("button", name="Tag").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key").fill("phase")
    dialog.get_by_label("Value").fill("sweep")
    dialog.get_by_role("button", name="Set").click()
    undo = page.get_by_role("button", name="Undo")
    undo.hover()  # it stays for whoever is about to press it
    expect(page.locator("[data-col='tags.phase']").filter(has_text="sweep")).to_have_count(2)
    undo.click()
    expect(page.locator("[data-col='tags.phase']").filter(has_text="sweep")).to_have_count(0)
    bar.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("2 runs archived")).to_be_visible()
    expect(rows(page)).to_have_count(4)
    page.keyboard.press("Control+z")
    expect(rows(page)).to_have_count(6)


def test_archived_runs_are_restored_or_deleted_for_good(sweep: Any, new_page: NewPage) -> None:
    server, id_, runs = sweep
    artifact(server, f"{id_}/{runs[0]}/artifacts/weights.bin", b"x" * 5000)
    page = open_table(new_page, server, id_)
    select(page, "run-0", "run-1", "run-2")
    page.get_by_test_id("selection-bar").get_by_role("button", name="Archive").click()
    expect(rows(page)).to_have_count(3)
    page.get_by_role("button", name="More").first.click()
    page.get_by_role("menuitem", name="Archived runs").click()
    expect(rows(page)).to_have_count(3)
    select(page, "run-2")
    page.get_by_test_id("selection-bar").get_by_role("button", name="Restore").click()
    expect(rows(page)).to_have_count(2)
    select(page, "run-0", "run-1")
    page.get_by_test_id("selection-bar").get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete for good").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 file, 5.0 KB")
    confirm = dialog.get_by_role("button", name="Delete for good")
    expect(confirm).to_be_disabled()
    dialog.get_by_label("Type 2 to confirm").fill("2")
    confirm.click()
    expect(page.get_by_text("No deleted runs")).to_be_visible()
    # The rows go first.
    until(page, lambda: not (server.folder / "artifacts" / id_ / runs[0]).exists())


def test_runs_move_to_another_experiment_and_back(sweep: Any, new_page: NewPage) -> None:
    server, id_, _ = sweep
    page = open_table(new_page, server, id_)
    select(page, "run-3", "run-4")
    page.get_by_test_id("selection-bar").get_by_role("button", name="Move").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("storyteller")
    dialog.get_by_role("radio").first.check()
    dialog.get_by_role("button", name="Move").click()
    undo = page.get_by_role("button", name="Undo")
    undo.hover()
    expect(rows(page)).to_have_count(4)
    undo.click()
    expect(rows(page)).to_have_count(6)


def test_selected_runs_are_saved_as_csv_and_parquet(sweep: Any, new_page: NewPage) -> None:
    server, id_, runs = sweep
    page = open_table(new_page, server, id_)
    select(page, "run-1", "run-2")
    for label, name in (("As CSV", "runs.csv"), ("As Parquet", "runs.parquet")):
        page.get_by_test_id("selection-bar").get_by_role("button", name="Export").click()
        with page.expect_download() as waiting:
            page.get_by_role("menuitem", name=label).click()
        assert waiting.value.suggested_filename == name
        saved = Path(waiting.value.path()).read_bytes()
        if name.endswith("csv"):
            assert len(saved.decode().splitlines()) == 3
        else:
            assert arro3.io.read_parquet(io.BytesIO(saved)).read_all().column("run_id").to_pylist() == runs[1:3]


def test_a_view_is_saved_shared_and_opened_by_default(sweep: Any, new_page: NewPage) -> None:
    server, id_, _ = sweep
    page = open_table(new_page, server, id_, "&cols=params.lr&q=params.lr%20%3D%20'0.1'")
    expect(rows(page)).to_have_count(2)
    menu = page.get_by_test_id("view-menu")
    menu.click()
    page.get_by_role("menuitem", name="Save as").click()
    page.get_by_role("dialog").get_by_label("Name of the view").fill("Low rate")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(menu).to_contain_text("View: Low rate")
    view = re.search(r"view=(\w+)", page.url)
    assert view
    page.get_by_role("button", name="Only differing").click()
    expect(menu).to_contain_text("edited")
    menu.click()
    page.get_by_role("menuitem", name="Reset").click()
    expect(menu).not_to_contain_text("edited")
    menu.click()
    with page.expect_response(lambda answer: answer.url.endswith("/views/set-default")):
        page.get_by_role("menuitem", name="Open with this view").click()
    other = new_page()
    other.goto(f"{server.url}/e/{id_}?view={view[1]}")
    expect(rows(other)).to_have_count(2)
    expect(other).to_have_url(re.compile("q=params.lr"))
    other.goto(f"{server.url}/e/{id_}")
    expect(other.get_by_test_id("view-menu")).to_contain_text("Low rate")
    other.get_by_test_id("view-menu").click()
    other.get_by_role("menuitemradio", name="Standard").click()
    expect(rows(other)).to_have_count(6)


@pytest.fixture(scope="module")
def wide(seeded: Seeded) -> Iterator[tuple[Server, str]]:
    """Runs with 500 columns."""
    server = seeded.server
    id_ = server.post("experiments/create", {"name": "table/wide"}).json()["experiment_id"]
    for number in range(30):
        run = server.new_run(id_, run_name=f"wide-{number:02d}", start_time=number)
        points = [{"key": f"m{key:03d}", "value": number + key / 1000, "timestamp": 1, "step": 1} for key in range(400)]
        send(server, run, metrics=points)
        send(server, run, params=[{"key": f"p{key:02d}", "value": f"{key}-{number % 2}"} for key in range(100)])
    yield server, id_


def test_five_hundred_columns_are_drawn_as_they_come_into_view(wide: tuple[Server, str], new_page: NewPage) -> None:
    server, id_ = wide
    every = "~".join([f"metrics.m{key:03d}" for key in range(400)] + [f"params.p{key:02d}" for key in range(100)])
    page = open_table(new_page, server, id_, f"&cols={every}&sort=attributes.start_time")
    expect(page.get_by_test_id("runs-table")).to_have_attribute("aria-colcount", "502")
    expect(cell(page, 3, "metrics.m001")).to_have_text("3.00")
    assert page.locator(".tbody [role=gridcell]").count() < 30 * 45
    page.get_by_test_id("runs-table").evaluate("e => e.scrollLeft = e.scrollWidth")
    expect(cell(page, 3, "params.p99")).to_have_text("99-1")
    expect(head(page, "metrics.m000")).to_have_count(0)
    page.get_by_test_id("runs-table").evaluate("e => e.scrollLeft = 20000")
    expect(page.locator(".tbody .cellsk")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_dialogs_menus_and_groups_are_clean(seeded: Seeded, new_page: NewPage, screenshots: Path, theme: str) -> None:
    page = new_page(theme)
    page.goto(
        f"{seeded.server.url}/e/{seeded.experiment_id}?group=params.lora_rank&open=16&base={seeded.runs['standard_lr1e-4']}"
    )
    expect(rows(page)).to_have_count(4)

    def check(name: str) -> None:
        page.screenshot(path=screenshots / f"table-{name}-{theme}.png")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
        assert [(item["id"], [node["html"][:200] for node in item["nodes"]][:3]) for item in found["violations"]] == []

    settled(page)
    check("grouped")
    select(page, "standard_lr1e-3")
    for name in ("Tag", "Move"):
        page.get_by_test_id("selection-bar").get_by_role("button", name=name).click()
        expect(page.get_by_role("dialog").locator("input").first).to_be_visible()
        check(f"dialog-{name.lower()}")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    head(page, "metrics.eval/loss").hover()
    head(page, "metrics.eval/loss").locator(".colmenu").click()
    expect(page.get_by_role("menu")).to_be_visible()
    check("column-menu")
