"""What is read back must be what was acknowledged: the checks see what is missing, changed, doubled or made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks import generator, history
from benchmarks.history import Lost
from benchmarks.load import Driven
from benchmarks.workloads.series import charts
from benchmarks.workloads.single import check_sent

from logbuch.wire import native

DRIVEN = Driven(answered=990, sent=1000, refused=0, broken=0, seconds=1.0, median_ms=1.0)
SERIES = generator.series(100, noisy=True)


def changed(column: str) -> generator.Series:
    copy = getattr(SERIES, column).copy()
    copy[50] += 1
    return replace(SERIES, **{column: copy})


@pytest.mark.parametrize("stored", [range(1, 1001), range(1, 991), [*range(1, 985), *range(990, 1001)]])
def test_what_was_under_way_at_the_end_may_be_missing(stored: list[int]) -> None:
    check_sent(list(stored), DRIVEN, 1, "points")


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ([*range(1, 500), *range(501, 1001)], "missing"),  # one lost long before the end
        (list(range(1, 980)), "missing"),  # more than were under way
        ([*range(1, 1001), 7], "more than once"),
        (list(range(1002)), "never sent"),
    ],
)
def test_everything_else_is_a_loss(stored: list[int], reason: str) -> None:
    with pytest.raises(Lost, match=reason):
        check_sent(stored, DRIVEN, 1, "points")


@pytest.mark.parametrize("column", ["steps", "timestamps", "values"])
def test_a_changed_point_is_a_loss(column: str) -> None:
    history.verify(SERIES, SERIES, "loss")
    with pytest.raises(Lost, match=column):
        history.verify(changed(column), SERIES, "loss")


def test_a_missing_point_is_a_loss() -> None:
    shorter = generator.Series(SERIES.steps[1:], SERIES.timestamps[1:], SERIES.values[1:])
    with pytest.raises(Lost, match="100 points were acknowledged, 99 came back"):
        history.verify(shorter, SERIES, "loss")


def test_charts_are_read_as_the_server_writes_them() -> None:
    names = ("x", "count", "min", "max")
    tables = [np.arange(12.0).reshape(4, 3), np.arange(8.0).reshape(4, 2)]
    written = native.bucket_tables(
        "step",
        names,
        [native.SeriesTable("r", f"m{i}", t.shape[1], 3, 0.0, 2.0, t.tobytes()) for i, t in enumerate(tables)],
    )
    found = dict(charts(written))
    assert list(found) == ["m0", "m1"]
    for table, key in zip(tables, found, strict=True):
        assert {name: column.tolist() for name, column in found[key].items()} == dict(
            zip(names, table.tolist(), strict=True)
        )
