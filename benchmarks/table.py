"""``python -m benchmarks.table``: the runs table of the page in Chromium.

Prints the time from navigation to the first rows, that of a sort and of a filter until other rows stand there, and the
frames a second while the table is scrolled. Times are taken inside the page; each navigation is a new tab with an empty
cache. A filter that is typed waits 300 ms for more; here Enter sends it at once.

``--beside`` opens MLflow's page on the same runs too (10,000 unless ``--runs`` says else: at 100,000 its server takes
minutes), and prints what both can do.
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import servers
from benchmarks.generator import Experiment
from benchmarks.seeding import seed_runs
from benchmarks.servers import Maker

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
         "--disable-component-update", "--disable-quic"]  # fmt: skip
ROW = "[data-testid=run-row]"
ROUNDS = 3
PATIENCE = 120_000
_FIRST = """selector => {
  const look = () => {
    const row = document.querySelector(selector);
    if (row && row.innerText.trim()) window.firstRows = performance.now(); else requestAnimationFrame(look);
  };
  look();
}"""
_CHANGE = """([selector]) => new Promise(resolve => {
  const text = () => {
    const count = document.querySelector('.filter-count'), row = document.querySelector(selector);
    return row ? count.innerText + row.innerText : '';
  };
  const before = text(), begun = performance.now();
  const look = () => {
    const time = performance.now() - begun;
    if ((text() !== before && text() !== '') || time > 20000) resolve(time); else requestAnimationFrame(look);
  };
  ACT;
  look();
})"""
_SCROLL = """([selector, pixels, seconds]) => new Promise(resolve => {
  const pane = document.querySelector(selector);
  const begun = performance.now(), times = [];
  const step = now => {
    times.push(now);
    pane.scrollTop += pixels;
    if (now - begun < seconds * 1000) requestAnimationFrame(step);
    else resolve(times.slice(1).map((time, i) => time - times[i]));
  };
  requestAnimationFrame(step);
})"""


_REACH = """([selector, height]) => Math.round(document.querySelector(selector).scrollHeight / height)"""
Measure = Callable[[Browser, str, str], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Pages:
    """Where a tracker's page has its runs: addresses with a place for the experiment, rows, and what scrolls them."""

    newest: str
    by_metric: str
    row: str
    pane: str
    height: int
    """Of a row, in pixels."""


LOGBUCH = Pages("/e/{}?layout=table", "/e/{}?layout=table&sort=-metrics.m1", ROW, "[data-testid=runs-table]", 28)
MLFLOW = Pages(
    "/#/experiments/{}/runs",
    "/#/experiments/{}/runs?orderByKey=metrics.%60m1%60&orderByAsc=false",
    ".ag-center-cols-container .ag-row",
    ".ag-body-viewport",
    32,
)


class Wide(Experiment):
    """100 columns a run: 45 metrics, 45 params, 10 tags."""

    METRICS = PARAMS = 45

    def __init__(self, count: int) -> None:
        super().__init__(count, tags=10)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table", description=__doc__)
    parser.add_argument("--runs", type=int, help="how many; 100,000 unless told")
    parser.add_argument("--beside", action="store_true", help="beside MLflow's page")
    parser.add_argument("--url", help="a Logbuch server that has the runs already, with --experiment")
    parser.add_argument("--experiment", help="its experiment")
    options = parser.parse_args()
    if options.url:
        _measured("Logbuch", options.url, options.experiment, _logbuch)
    elif options.beside:
        for make, pages in ((servers.logbuch_sqlite, LOGBUCH), (servers.mlflow_tuned, MLFLOW)):
            _seeded(make, options.runs or 10_000, functools.partial(_shared, pages))
    else:
        _seeded(servers.logbuch_sqlite, options.runs or 100_000, _logbuch)
    return 0


def _seeded(make: Maker, runs: int, measure: Measure) -> None:
    # Playwright keeps an event loop in its thread while it lasts: the runs are sent before it begins.
    with make() as server:
        body = {"name": f"sweep-{runs}"}
        made = httpx.post(f"{server.url}/api/2.0/mlflow/experiments/create", json=body, timeout=60).json()
        seed_runs(server, made["experiment_id"], Wide(runs))
        _measured(f"{server.title}, {runs:,} runs", server.url, made["experiment_id"], measure)


def _measured(title: str, url: str, experiment: str, measure: Measure) -> None:
    with sync_playwright() as playwright:
        path = os.environ.get("LOGBUCH_TEST_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        _print(title, measure(browser, url, experiment))
        browser.close()


def _shared(pages: Pages, browser: Browser, url: str, experiment: str) -> dict[str, str]:
    """What both pages can do, by their addresses."""
    found: dict[str, str] = {}
    for name, path in (("first rows", pages.newest), ("first rows in the order of a metric", pages.by_metric)):
        times = []
        for _ in range(ROUNDS):
            page, time = _opened(browser, url + path.format(experiment), pages.row)
            times.append(time)
            page.context.close()
        found[name] = _times(times)
    page, _ = _opened(browser, url + pages.newest.format(experiment), pages.row)
    page.wait_for_timeout(3000)
    found["rows that can be scrolled to at once"] = f"{page.evaluate(_REACH, [pages.pane, pages.height]):,}"
    found["scroll, 3 rows a frame"] = _frames(page.evaluate(_SCROLL, [pages.pane, 84, 4]))
    page.context.close()
    return found


def _print(title: str, found: dict[str, str]) -> None:
    print(f"\n{title}")
    for name, value in found.items():
        print(f"  {name:44} {value}", flush=True)


def _opened(browser: Browser, address: str, selector: str) -> tuple[Page, float]:
    """A page with its first rows, and the milliseconds from navigation until they stood there."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.add_init_script(f"({_FIRST})({selector!r})")
    page.goto(address, wait_until="commit")
    page.wait_for_selector(selector)
    while not (time := page.evaluate("window.firstRows || 0")):
        page.wait_for_timeout(50)  # the page's policy forbids Playwright's own way to wait for an expression
    return page, float(time)


def _times(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ms (of {len(values)}: {min(values):.0f} to {max(values):.0f})"


def _frames(gaps: list[float]) -> str:
    late = sum(gap > 34 for gap in gaps)
    return f"{1000 * len(gaps) / sum(gaps):.0f} frames/s, {late} of {len(gaps)} over 34 ms, longest {max(gaps):.0f} ms"


def _logbuch(browser: Browser, url: str, experiment: str) -> dict[str, str]:
    row = ROW
    columns = "~".join(
        [f"metrics.m{n}" for n in range(45)] + [f"params.p{n}" for n in range(45)] + [f"tags.t{n}" for n in range(7)]
    )
    found: dict[str, str] = {}
    addresses = {
        "default columns": f"{url}/e/{experiment}?layout=table",
        "100 columns": f"{url}/e/{experiment}?layout=table&cols={columns}",
    }
    for name, address in addresses.items():
        first = []
        for _ in range(ROUNDS):
            page, time = _opened(browser, address, row)
            first.append(time)
            page.context.close()
        found[f"first rows, {name}"] = _times(first)
    page, _ = _opened(browser, addresses["100 columns"], row)
    page.wait_for_timeout(3000)

    def change(act: str) -> float:
        time = float(page.evaluate(_CHANGE.replace("ACT;", act), [row]))
        page.wait_for_timeout(800)
        return time

    press = "document.querySelector('.thead [data-col=\"{}\"] .sortbtn').click()"
    found["sort by a metric"] = _times([change(press.format(f"metrics.m{n}")) for n in (1, 2, 3, 4, 5)])
    found["sort by a param"] = _times([change(press.format(f"params.p{n}")) for n in _in_view(page)] or [float("nan")])
    filters = [
        "metrics.m1 > 0.9",
        "params.p5 = 'v03'",
        "tags.team = 'team-07'",
        "metrics.m2 < 0.2 AND params.p1 = 'v01'",
        "run-99",
    ]
    found["filter"] = _times([change(_FILTER.format(text.replace("'", "\\'"))) for text in filters])
    change(_FILTER.format(""))
    table = "[data-testid=runs-table]"
    for name, pixels in (("3 rows a frame", 84), ("a page a frame", 700)):
        found[f"scroll, {name}"] = _frames(page.evaluate(_SCROLL, [table, pixels, 4]))
    page.evaluate(f"document.querySelector('{table}').scrollTop = 0")
    page.wait_for_timeout(500)
    found["jump to the middle until rows stand there"] = _times(
        [_jump(page, table, part) for part in (0.5, 0.25, 0.75, 0.9)]
    )
    page.context.close()
    return found


_FILTER = """
const field = document.querySelector('[data-testid=filter-input]');
Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, '{}');
field.dispatchEvent(new Event('input', {{ bubbles: true }}));
setTimeout(() => field.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Enter', bubbles: true }})), 0);
"""


def _in_view(page: Page) -> list[int]:
    """Params whose headers can be pressed: the columns are scrolled to them first."""
    page.evaluate("document.querySelector('[data-testid=runs-table]').scrollLeft = 45 * 68")
    page.wait_for_timeout(600)
    shown = page.locator(".thead .tr.h [data-col^='params.p']").evaluate_all("all => all.map(e => e.dataset.col)")
    return [int(column.removeprefix("params.p")) for column in shown[2:5]]


def _jump(page: Page, table: str, part: float) -> float:
    time: float = page.evaluate(
        """([table, part]) => new Promise(resolve => {
          const pane = document.querySelector(table), begun = performance.now();
          pane.scrollTop = pane.scrollHeight * part;
          const look = () => {
            const middle = document.elementFromPoint(300, 500).closest('[data-testid=run-row]');
            if (middle && performance.now() > begun + 20) resolve(performance.now() - begun);
            else requestAnimationFrame(look);
          };
          requestAnimationFrame(look);
        })""",
        [table, part],
    )
    page.wait_for_timeout(400)
    return time


if __name__ == "__main__":
    sys.exit(main())
