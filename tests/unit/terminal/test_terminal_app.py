"""The live view of `logbuch top`, driven by keys, on a store in a folder with runs that go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

import logbuch
from logbuch.errors import LogbuchError, Unavailable
from logbuch.model import Metric
from logbuch.sdk.client import LogbuchClient
from logbuch.terminal.app import RunsTable, RunView, Top
from logbuch.terminal.detail import Detail
from logbuch.terminal.looking import Look, Looker

OFTEN = 0.05
"""Seconds between two looks, so that what changes is soon seen."""


@pytest.fixture
def client(tmp_path: Path) -> LogbuchClient:
    logbuch.set_tracking_uri(str(tmp_path / "store"))
    logbuch.set_experiment("words")
    return LogbuchClient()


def begin(client: LogbuchClient, name: str, losses: list[float], **params: Any) -> str:
    experiment = logbuch.get_experiment_by_name("words")
    assert experiment is not None
    run_id = str(client.create_run(experiment.experiment_id, run_name=name).info.run_id)
    client.log_batch(run_id, metrics=points(losses), params=[logbuch.entities.Param(*one) for one in params.items()])
    return run_id


def points(losses: list[float], start: int = 0) -> list[Metric]:
    return [Metric(key="loss", value=loss, timestamp=1, step=start + at) for at, loss in enumerate(losses)]


class Flaky:
    """A tracker that can be told to be away, or to refuse."""

    def __init__(self, looker: Looker) -> None:
        self._looker = looker
        self.trouble: LogbuchError | None = None

    @property
    def ended(self) -> bool:
        return self._looker.ended

    @ended.setter
    def ended(self, value: bool) -> None:
        self._looker.ended = value

    @property
    def uri(self) -> str:
        return self._looker.uri

    def look(self) -> Look:
        if self.trouble is not None:
            raise self.trouble
        return self._looker.look()

    def detail(self, run_id: str, metric: str | None) -> Detail:
        if self.trouble is not None:
            raise self.trouble
        return self._looker.detail(run_id, metric)


def drive(app: Top, story: Callable[[Top, Pilot[None]], Awaitable[None]], size: tuple[int, int] = (140, 40)) -> None:
    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await story(app, pilot)

    asyncio.run(run())


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Lets the view work until something holds; the test's own time limit is what ends it else."""
    while not holds():
        await pilot.pause(0.01)


def cells(app: Top) -> list[list[str]]:
    table = app.screen_stack[0].query_one(RunsTable)
    return [[str(cell) for cell in table.get_row_at(place)] for place in range(table.row_count)]


def titles(app: Top) -> list[str]:
    return [str(column.label) for column in app.screen_stack[0].query_one(RunsTable).ordered_columns]


def column(app: Top, title: str) -> list[str]:
    shown = titles(app)
    return [row[shown.index(title)].strip() for row in cells(app)] if title in shown else []


def text(app: Top, name: str) -> str:
    return str(app.screen.query_one(name, Static).render())


def test_points_that_come_are_shown(client: LogbuchClient) -> None:
    run_id = begin(client, "going", [3.0, 2.0], max_steps="10")

    async def story(app: Top, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: column(app, "Last") == ["2"])
        assert (column(app, "Run"), column(app, "Step"), column(app, "Metric")) == (["going"], ["1  10%"], ["loss"])
        assert "1 running" in text(app, "#head")
        client.log_batch(run_id, metrics=points([1.0, float("nan")], 4))
        await until(pilot, lambda: column(app, "Last") == ["NaN"])
        assert (column(app, "Best"), column(app, "Step")) == (["1"], ["5  50%"])
        client.set_terminated(run_id)
        await until(pilot, lambda: column(app, "Status") == ["finished"])
        assert "0 running · 1 ended" in text(app, "#head")

    drive(Top(Looker(), seconds=OFTEN), story)


def test_a_run_that_begins_appears_and_one_without_points_is_shown_too(client: LogbuchClient) -> None:
    async def story(app: Top, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "No run is running" in text(app, "#empty"))
        begin(client, "new", [])
        await until(pilot, lambda: column(app, "Run") == ["new"])
        assert column(app, "Last") == ["–"]
        assert not app.query_one("#empty").display

    drive(Top(Looker(), seconds=OFTEN), story)


def test_rows_are_sorted_by_keys_and_by_a_click_and_the_cursor_stays_with_its_run(client: LogbuchClient) -> None:
    for name, loss in (("b", 3.0), ("c", 1.0), ("a", 2.0)):
        begin(client, name, [loss])

    async def story(app: Top, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: sorted(column(app, "Last")) == ["1", "2", "3"])
        table = app.query_one(RunsTable)
        table.move_cursor(row=column(app, "Run").index("b"))
        await pilot.press("s")
        assert column(app, "Run↑") == ["a", "b", "c"]
        assert table.cursor_row == 1
        await pilot.press("r")
        assert column(app, "Run↓") == ["c", "b", "a"]
        while "Last↑" not in titles(app):
            await pilot.press("s")
        assert column(app, "Last↑") == ["1", "2", "3"]
        assert table.cursor_row == 2
        await pilot.click(RunsTable, offset=(1, 0))
        await until(pilot, lambda: column(app, "Run↑") == ["a", "b", "c"])

    drive(Top(Looker(), seconds=OFTEN), story)


def test_ended_runs_are_shown_where_asked(client: LogbuchClient) -> None:
    client.set_terminated(begin(client, "old", [1.0]), "FAILED")
    begin(client, "going", [1.0])

    async def story(app: Top, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: column(app, "Run") == ["going"])
        await pilot.press("a")
        await until(pilot, lambda: column(app, "Run") == ["going", "old"])
        assert column(app, "Status") == ["running", "failed"]
        await pilot.press("a")
        await until(pilot, lambda: column(app, "Run") == ["going"])

    drive(Top(Looker(), seconds=OFTEN), story)


def test_enter_opens_a_run_and_escape_leads_back(client: LogbuchClient) -> None:
    spiky = [2.0 + 0.001 * (at % 7) for at in range(100)]
    spiky[60] = 40.0
    run_id = begin(client, "spiky [b]", spiky, lr="0.1", note="[red]x[/red]")
    logbuch.alert("Look at this", run_id=run_id)
    logbuch.flush()

    async def story(app: Top, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: column(app, "Stability") == ["unstable"] and column(app, "Alerts") == ["1"])
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunView) and "lr" in shown(app))
        said = shown(app)
        for part in (
            "loss",
            "100",
            "unstable",
            "spike",
            "at 60",
            "40 beside 2",
            "Look at this",
            "[red]x[/red]",
            run_id,
        ):
            assert part in said, said
        assert "spiky [b]  in words" in text(app, "#name")
        client.log_batch(run_id, metrics=points([float("inf")], 100))
        await until(pilot, lambda: "1 not finite" in shown(app))
        await pilot.press("escape")
        assert not isinstance(app.screen, RunView)
        await until(pilot, lambda: column(app, "Last") == ["∞"])

    drive(Top(Looker(), seconds=OFTEN), story)


def shown(app: Top) -> str:
    """The text of a run's view, as it stands on the screen."""
    return "\n".join("".join(segment.text for segment in app.screen.query_one("#detail").render_line(line))
                     for line in range(app.screen.query_one("#detail").size.height))  # fmt: skip


def test_a_tracker_that_is_away_is_told_and_asked_again(client: LogbuchClient) -> None:
    begin(client, "going", [1.0])
    source = Flaky(Looker())

    async def story(app: Top, pilot: Pilot[None]) -> None:
        trouble = app.query_one("#trouble", Static)
        source.trouble = Unavailable("No answer from the tracking server.")
        await until(pilot, lambda: bool(trouble.display))
        assert text(app, "#trouble") == " No answer from the tracking server. Trying again …"
        source.trouble = None
        await until(pilot, lambda: column(app, "Run") == ["going"] and not trouble.display)
        source.trouble = Unavailable("Gone again.")
        await until(pilot, lambda: bool(trouble.display))
        assert column(app, "Run") == ["going"]  # what is known stays
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunView) and "Gone again" in text(app, "#trouble"))
        source.trouble = None
        await until(pilot, lambda: isinstance(app.screen, RunView) and "Metrics" in shown(app))
        assert not app.screen.query_one("#trouble").display
        await pilot.press("q")

    drive(Top(source, seconds=OFTEN), story)


@pytest.mark.parametrize("size", [(80, 24), (20, 5), (300, 60)])
def test_it_fits_into_any_terminal(client: LogbuchClient, size: tuple[int, int]) -> None:
    for number in range(30):
        begin(client, f"run {number} " + "x" * 50, [1.0, 2.0])

    async def story(app: Top, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(cells(app)) == 30)
        table = app.query_one(RunsTable)
        await until(pilot, lambda: table.max_scroll_x == 0 or size[0] < 24)
        await pilot.resize_terminal(120, 30)
        await until(pilot, lambda: "Metric" in titles(app) and table.max_scroll_x == 0)

    drive(Top(Looker(), seconds=OFTEN), story, size)
