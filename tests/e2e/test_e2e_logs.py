"""The Logs tab in a real browser: a million lines, colours in both themes, search, and a run that is still printing."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from logbuch.wire import ingest
from support.pages import until
from support.servers import Server

NewPage = Callable[..., Page]
AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
START = 1_760_000_000_000
MANY = 1_000_000
COLOURS = [
    "",
    "31",
    "32",
    "33",
    "34",
    "35",
    "36",
    "37",
    "90",
    "1;31",
    "2",
    "3;4",
    "7",
    "41",
    "42",
    "43",
    "44",
    "45",
    "46",
    "38;5;208",
]


class Printer:
    """A journal that prints to a run."""

    def __init__(self, server: Server) -> None:
        self._server, self._journal = server, uuid.uuid4().hex
        self._last, self._chain = 0, b""

    def send(self, *records: Any) -> None:
        before, first, entries = self._chain, self._last + 1, []
        for record in records:
            raw = ingest.encode_record(record)
            self._chain = ingest.link(self._chain, raw)
            entries.append((1, self._chain, raw))
        self._last += len(records)
        body = ingest.compress(ingest.encode_batch(self._journal, first, before, entries))
        headers = {"content-type": ingest.CONTENT_TYPE, "content-encoding": "gzip"}
        answer = httpx.post(f"{self._server.url}/api/logbuch/1/ingest", content=body, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        assert answer.json()["refused"] == []


def lines(run_id: str, texts: list[str], stream: str = "stdout", open_line: str = "") -> ingest.Log:
    return ingest.Log(run_id, stream, [START + 1000 * number for number in range(len(texts))], texts, open_line, START)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("logs")
    started = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def colourful(server: Server) -> str:
    run_id = server.new_run(run_name="colourful")
    texts = [f"plain \x1b[{code}mlooks like {code or 'nothing'}\x1b[0m and ends" for code in COLOURS]
    error = [
        "Traceback (most recent call last):",
        '  File "train.py", line 7, in <module>',
        "ZeroDivisionError: division by zero",
    ]
    Printer(server).send(
        lines(run_id, texts),
        lines(run_id, error, "stderr"),
        lines(run_id, [], "stderr", " 50%|█████     | 5/10 [00:05<00:05]"),
    )
    return run_id


@pytest.fixture(scope="module")
def million(server: Server) -> str:
    run_id = server.new_run(run_name="million")
    printer = Printer(server)
    for begin in range(0, MANY, 100_000):
        parts = range(begin, begin + 100_000, 10_000)
        printer.send(
            *(
                lines(
                    run_id, [f"step {number + 1} loss {1 / (number + 1):.6f}" for number in range(part, part + 10_000)]
                )
                for part in parts
            )
        )
    return run_id


def shown(page: Page) -> list[str]:
    return page.locator("[data-testid=log-row][data-line] .logtext").all_inner_texts()


def opened(new_page: NewPage, server: Server, run_id: str, query: str = "", theme: str = "light", **size: int) -> Page:
    page = new_page(theme, **size)
    page.goto(f"{server.url}/e/0/runs/{run_id}/logs{query}")
    expect(page.get_by_test_id("log-view")).to_be_visible()
    expect(page.locator("[data-testid=log-row][data-line] .logtext").first).to_be_visible()
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_are_readable_in_both_themes(
    server: Server, colourful: str, new_page: NewPage, screenshots: Path, theme: str
) -> None:
    page = opened(new_page, server, colourful, "?q=looks&times=1", theme)
    until(page, lambda: "plain looks like 31 and ends" in shown(page))
    page.screenshot(path=screenshots / f"logs-{theme}.png")
    expect(page.locator(".logrow.err")).to_have_count(4)
    expect(page.locator(".logrow").last).to_contain_text("50%|█████")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
    assert [(item["id"], [node["html"][:200] for node in item["nodes"]][:5]) for item in found["violations"]] == []


def test_a_phone_needs_no_sideways_scroll(server: Server, colourful: str, new_page: NewPage, screenshots: Path) -> None:
    page = opened(new_page, server, colourful, width=390, height=844)
    page.screenshot(path=screenshots / "logs-phone.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_million_lines_from_end_to_end(server: Server, million: str, new_page: NewPage, screenshots: Path) -> None:
    page = opened(new_page, server, million)
    expect(page.get_by_test_id("log-count")).to_have_text("1,000,000 lines")
    expect(page.locator("[data-line='1000000']")).to_contain_text("step 1000000 ")
    assert page.locator("[data-testid=log-row]").count() < 100
    page.get_by_test_id("log-view").press("Home")
    expect(page.locator("[data-line='1']")).to_contain_text("step 1 loss 1.000000")
    page.get_by_test_id("log-view").press("PageDown")
    page.get_by_test_id("log-view").press("ArrowDown")
    expect(page.locator("[data-line='60']")).to_contain_text("step 60 ")
    page.get_by_test_id("log-view").hover()
    page.mouse.wheel(0, 180)
    first = page.locator("[data-line]").first
    until(page, lambda: int(first.get_attribute("data-line") or 0) > 20)
    assert int(first.get_attribute("data-line") or 0) < 80, "a wheel moves by lines, however many there are"
    page.get_by_test_id("log-view").evaluate("(view) => { view.scrollTop = view.scrollHeight / 2 }")
    middle = page.locator("[data-testid=log-row][data-line]").first
    until(page, lambda: 499_000 < int(middle.get_attribute("data-line") or 0) < 501_000)
    number = int(middle.get_attribute("data-line") or 0)
    expect(middle).to_contain_text(f"step {number} ")
    page.screenshot(path=screenshots / "logs-million.png")


def test_a_search_goes_from_match_to_match_and_into_the_address(
    server: Server, million: str, new_page: NewPage
) -> None:
    page = opened(new_page, server, million)
    field = page.get_by_placeholder("Search the log")
    field.fill("step 77777")
    expect(page.get_by_text("11 found")).to_be_visible()
    field.press("Enter")
    expect(page.get_by_text("1 of 11")).to_be_visible()
    expect(page.locator("[data-line='77777'].on mark")).to_have_text("step 77777")
    field.press("Enter")
    expect(page.locator("[data-line='777770'].on")).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape("q=step+77777")))
    expect(page).to_have_url(re.compile(re.escape("line=777770")))
    field.press("Shift+Enter")
    expect(page.locator("[data-line='77777'].on")).to_be_visible()
    page.reload()
    expect(page.locator("[data-line='77777'].on mark")).to_have_text("step 77777")
    field.fill("no such thing")
    expect(page.get_by_text("Not found")).to_be_visible()


def test_what_is_printed_now_comes_by_itself_while_it_is_followed(server: Server, new_page: NewPage) -> None:
    run_id = server.new_run(run_name="live")
    page = new_page()
    page.goto(f"{server.url}/e/0/runs/{run_id}/logs")
    expect(page.get_by_text("Nothing has been printed")).to_be_visible()
    printer = Printer(server)
    printer.send(lines(run_id, [f"line {number}" for number in range(1, 201)], open_line="working"))
    expect(page.locator("[data-line='200']")).to_have_text("200line 200")
    expect(page.locator(".logrow").last).to_contain_text("working")
    printer.send(lines(run_id, ["working, done"]))
    expect(page.locator("[data-line='201']")).to_contain_text("working, done")
    page.get_by_test_id("log-view").press("Home")
    expect(page.locator("[data-line='1']")).to_be_visible()
    printer.send(lines(run_id, ["more"]))
    expect(page.get_by_test_id("log-count")).to_have_text("202 lines")
    expect(page.locator("[data-line='1']")).to_be_visible()
    page.get_by_role("button", name="Follow").click()
    expect(page.locator("[data-line='202']")).to_contain_text("more")


def test_all_lines_can_be_saved(server: Server, colourful: str, new_page: NewPage) -> None:
    page = opened(new_page, server, colourful)
    with page.expect_download() as download:
        page.get_by_label("Save as text").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert len(text.splitlines()) == len(COLOURS) + 4
    assert "\x1b" not in text
