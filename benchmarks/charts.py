"""``python -m benchmarks.charts``: how the page draws 100 runs of 20 metrics of a million points each, in Chromium.

Prints what issue and reader ask: first chart, all visible charts, a move of the pointer, the longest task, the tab's
memory, and the way of a point from a training to the screen. A few distinct series are logged and sealed as trainings
do; their blocks are then copied in the database to the other runs and metrics, since logging two thousand million
points would take hours. What the page asks for is read and summed up from every run's own blocks.
"""

from __future__ import annotations

import argparse
import math
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, sync_playwright

from benchmarks.encoders import NativeIngest
from logbuch.model import RunStatus
from logbuch.wire import ingest

START = 1_790_000_000_000
BATCH = 50_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
         "--disable-component-update", "--disable-quic", "--enable-precise-memory-info"]  # fmt: skip


def main() -> int:
    options = _options()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="logbuch-charts-"))
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "seeded").exists():
        _seed(folder, options)
        (folder / "seeded").touch()
    with _served(folder) as url:
        for name, value in _measure(url).items():
            print(f"{name:44} {value}")
    if options.folder is None:
        shutil.rmtree(folder)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.charts", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the data lies; kept, and used again")
    for name, count in (("runs", 100), ("metrics", 20), ("points", 1_000_000), ("distinct", 4)):
        parser.add_argument(f"--{name}", type=int, default=count)
    return parser.parse_args()


# -- the data -----------------------------------------------------------------------------------------------------


def _key(number: int) -> str:
    return "train/loss" if number == 0 else f"train/metric_{number:02}"


def _seed(folder: Path, options: argparse.Namespace) -> None:
    begun = time.monotonic()
    runs = [uuid.uuid4().hex for _ in range(options.runs)]
    with _served(folder) as url:
        made = httpx.post(f"{url}/api/2.0/mlflow/experiments/create", json={"name": "million"}).json()
        _send(url, [_run(made["experiment_id"], number, run_id) for number, run_id in enumerate(runs)])
        for series in range(options.distinct):
            for first in range(0, options.points, BATCH):
                _send(url, [_points(runs[0], series, first, min(first + BATCH, options.points))])
        _send(url, [ingest.Update(run_id, RunStatus.FINISHED, START + 10**9) for run_id in runs])
        _wait_until_sealed(folder)
    _copy(folder / "logbuch.db", runs, options)
    print(f"seeded in {time.monotonic() - begun:.0f} s, {(folder / 'logbuch.db').stat().st_size / 1e9:.2f} GB")


def _run(experiment_id: str, number: int, run_id: str) -> ingest.NewRun:
    return ingest.NewRun(run_id, "", experiment_id, f"run_{number:03}", "bench", START + number, ())


def _points(run_id: str, series: int, first: int, last: int) -> ingest.Metrics:
    noise = random.Random(series * 10**9 + first)
    points = ingest.Points(run_id)
    for step in range(first, last):
        # As many digits as a training prints: more would only make the copies larger.
        value = round((1 + series / 10) * math.exp(-step / 2e5) + 0.4 + 0.02 * noise.gauss(0, 1), 3)
        points.add(_key(series), step, START + step * 100, value)
    return points.record()


def _send(url: str, records: list[Any]) -> None:
    body = NativeIngest().batch(records)
    answer = httpx.post(
        url + NativeIngest.path, content=body, headers={"content-type": NativeIngest.content_type}, timeout=120
    )
    NativeIngest.check(answer.content)


def _wait_until_sealed(folder: Path) -> None:
    while True:
        with closing(sqlite3.connect(folder / "logbuch.db", timeout=60)) as database:
            (left,) = database.execute("SELECT coalesce(sum(points), 0) FROM arrivals").fetchone()
        if left < 512:
            return
        time.sleep(1)


def _columns(database: sqlite3.Connection, table: str, without: tuple[str, ...]) -> str:
    names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    return ", ".join(f'"{name}"' for name in names if name not in without)


def _copy(file: Path, run_ids: list[str], options: argparse.Namespace) -> None:
    """The first run's blocks and latest values for all runs and metrics."""
    with closing(sqlite3.connect(file, timeout=60)) as database:
        runs = [database.execute("SELECT id FROM runs WHERE run_id = ?", (run,)).fetchone()[0] for run in run_ids]
        for number in range(options.distinct, options.metrics):
            database.execute("INSERT INTO names (name) VALUES (?)", (_key(number),))
        names = dict(database.execute("SELECT name, id FROM names").fetchall())
        for place, run in enumerate(runs):
            for number in range(options.metrics):
                if place > 0 or number >= options.distinct:
                    source = names[_key((number + place) % options.distinct)]
                    _copy_series(database, (runs[0], source), (run, names[_key(number)]))
            database.commit()


def _copy_series(database: sqlite3.Connection, source: tuple[int, int], target: tuple[int, int]) -> None:
    latest = _columns(database, "latest", ("run", "key"))
    database.execute(
        f'INSERT INTO latest ("run", "key", {latest}) SELECT ?, ?, {latest} FROM latest WHERE "run" = ? AND "key" = ?',
        (*target, *source),
    )
    block = _columns(database, "blocks", ("id", "run", "key"))
    summary = _columns(database, "summaries", ("block",))
    for (id_,) in database.execute('SELECT id FROM blocks WHERE "run" = ? AND "key" = ?', source).fetchall():
        made = database.execute(
            f'INSERT INTO blocks ("run", "key", {block}) SELECT ?, ?, {block} FROM blocks WHERE id = ?', (*target, id_)
        ).lastrowid
        database.execute(
            f"INSERT INTO summaries (block, {summary}) SELECT ?, {summary} FROM summaries WHERE block = ?", (made, id_)
        )


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "logbuch",
        "server",
        "--port",
        str(port),
        "--backend-store-uri",
        f"sqlite:///{folder}/logbuch.db",
    ]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--default-artifact-root", str(folder / "artifacts")], stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{url}/health")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


# -- the page -----------------------------------------------------------------------------------------------------

_WATCH = """
window.tasks = [];
const note = (list) => { for (const e of list.getEntries()) window.tasks.push(e.duration); };
new PerformanceObserver(note).observe({ type: 'longtask', buffered: true });
window.drawn = null; window.allDrawn = null;
const painted = (card) => {
  const label = card.querySelector('.plot')?.getAttribute('aria-label') ?? '';
  return card.querySelector('canvas') && /best/.test(label);
};
const look = () => {
  const cards = [...document.querySelectorAll('[data-testid=chart]')].filter((card) => {
    const { top, bottom } = card.getBoundingClientRect();
    return top < innerHeight && bottom > 0;
  });
  const done = cards.filter(painted).length;
  if (done && window.drawn === null) window.drawn = performance.now();
  if (cards.length && done === cards.length && window.allDrawn === null) {
    window.allDrawn = performance.now();
    window.visible = cards.length;
  }
  if (window.allDrawn === null) requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
_HOVER = """async () => {
  const frames = [];
  const over = document.querySelector('[data-testid=chart] .u-over');
  const box = over.getBoundingClientRect();
  for (let i = 0; i < 60; i++) {
    const begun = performance.now();
    const [clientX, clientY] = [box.left + box.width * (0.1 + 0.8 * i / 60), box.top + 40 + (i % 20) * 8];
    const at = { clientX, clientY, bubbles: true, cancelable: true };
    over.dispatchEvent(new MouseEvent(i ? 'mousemove' : 'mouseenter', at));
    over.dispatchEvent(new MouseEvent('mousemove', at));
    await new Promise((done) => requestAnimationFrame(() => {
      const painted = new MessageChannel();
      painted.port1.onmessage = done;
      painted.port2.postMessage(0);
    }));
    frames.push(performance.now() - begun);
  }
  frames.sort((a, b) => a - b);
  return [frames[30], frames[57]];
}"""


_SCROLL = """async () => {
  const pane = document.querySelector('.cw');
  for (let top = 0; top < pane.scrollHeight; top += 300) {
    pane.scrollTop = top;
    await new Promise(requestAnimationFrame);
  }
}"""


def _measure(url: str) -> dict[str, str]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "/usr/bin/chromium", args=FLAGS
        )
        found: dict[str, str] = {}
        for layout in ("both", "charts"):
            found |= _of_experiment(
                browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True), url, layout
            )
        found |= _live(browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True), url)
        browser.close()
    return found


def _of_experiment(page: Page, url: str, layout: str) -> dict[str, str]:
    page.add_init_script(_WATCH)
    page.goto(f"{url}/e/1?layout={layout}")
    page.wait_for_function("window.allDrawn !== null", timeout=120_000)
    found = {
        f"{layout}: first chart": f"{page.evaluate('window.drawn'):.0f} ms",
        f"{layout}: all {page.evaluate('window.visible')} visible": f"{page.evaluate('window.allDrawn'):.0f} ms",
    }
    page.wait_for_timeout(4000)
    found[f"{layout}: longest task of loading"] = f"{page.evaluate('Math.max(0, ...window.tasks)'):.0f} ms"
    page.evaluate("window.tasks = []")
    median, high = page.evaluate(_HOVER)
    found[f"{layout}: a move of the pointer, median and 95 %"] = f"{median:.1f}, {high:.1f} ms"
    page.evaluate(_SCROLL)
    page.wait_for_timeout(4000)
    found[f"{layout}: longest task of hovering and scrolling"] = (
        f"{page.evaluate('Math.max(0, ...window.tasks)'):.0f} ms"
    )
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable")
    metrics = {item["name"]: item["value"] for item in client.send("Performance.getMetrics")["metrics"]}
    heap = page.evaluate("performance.memory.usedJSHeapSize")
    found[f"{layout}: memory of the tab"] = (
        f"heap {heap / 1e6:.0f} MB, renderers {_renderers() / 1e6:.0f} MB, {metrics['Nodes']:.0f} nodes"
    )
    page.close()
    return found


def _renderers() -> int:
    """Private memory of this machine's largest Chromium renderer, bytes."""
    most = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"--type=renderer" in (folder / "cmdline").read_bytes():
                rows = dict(
                    line.split(":", 1) for line in (folder / "smaps_rollup").read_text().splitlines()[1:] if ":" in line
                )
                most = max(most, sum(int(rows[name].split()[0]) for name in ("Private_Clean", "Private_Dirty")) * 1024)
        except (OSError, KeyError):
            continue
    return most


def _live(page: Page, url: str) -> dict[str, str]:
    """A point by the REST API of a training, until its value stands on the run's page."""
    now = int(time.time() * 1000)
    run_id = httpx.post(
        f"{url}/api/2.0/mlflow/runs/create", json={"experiment_id": "0", "run_name": "live", "start_time": now}
    ).json()["run"]["info"]["run_id"]

    def log(step: int) -> float:
        value = round(0.1 + step * 0.0137, 4)
        point = {"run_id": run_id, "key": "loss", "value": value, "timestamp": now + step, "step": step}
        httpx.post(f"{url}/api/2.0/mlflow/runs/log-metric", json=point)
        return value

    log(0)
    page.goto(f"{url}/e/0/runs/{run_id}/overview")
    page.wait_for_selector("[data-testid=chart] canvas")
    page.wait_for_timeout(2000)
    times = []
    for step in range(1, 11):
        begun = time.monotonic()
        value = log(step)
        page.wait_for_function(
            "text => document.querySelector('.metrics .big')?.textContent?.startsWith(text)",
            arg=f"{value:.4f}"[:6],
            polling=10,
        )
        times.append((time.monotonic() - begun) * 1000)
        page.wait_for_timeout(700)
    times.sort()
    return {"a point to the screen, median and most": f"{times[5]:.0f}, {times[-1]:.0f} ms"}


if __name__ == "__main__":
    sys.exit(main())
