"""Histograms on both databases."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from logbuch import limits
from logbuch.errors import InvalidInput, NotFound
from logbuch.store import Store, histograms, runs, schema
from logbuch.store.histograms import Histogram
from logbuch.store.runs import NewRun


@pytest.fixture
def run(store: Store) -> str:
    return store.write(runs.create, NewRun(experiment_id="0", run_id="r1")).info.run_id


def column(*numbers: float) -> memoryview:
    return memoryview(array("d", numbers)).cast("B")


def made(step: int, *counts: float, key: str = "w", time: int = 7, **more: Any) -> Histogram:
    edges = column(*(float(number) for number in range(len(counts) + 1)))
    return Histogram.of(key, step, time, edges, column(*counts), more.get("nan", 0), more.get("infinite", 0))


def test_histograms_come_back_by_step(store: Store, run: str) -> None:
    for step in (5, -1, 2**62):
        store.write(histograms.put, run, made(step, 1.0, 2.5, nan=3, infinite=1))
    total, found = store.read(histograms.read, run, "w", 10)
    assert total == 3
    assert [one.step for one in found] == [-1, 5, 2**62]
    assert found[0] == Histogram("w", -1, 7, [0.0, 1.0, 2.0], [1.0, 2.5], 3, 1)


def test_the_same_place_is_replaced_and_other_times_stay(store: Store, run: str) -> None:
    store.write(histograms.put, run, made(1, 1.0))
    store.write(histograms.put, run, made(1, 2.0))
    store.write(histograms.put, run, made(1, 3.0, time=8))
    _, found = store.read(histograms.read, run, "w", 10)
    assert [one.counts for one in found] == [[2.0], [3.0]]


def test_of_many_an_even_choice_comes(store: Store, run: str) -> None:
    for step in range(101):
        store.write(histograms.put, run, made(step, float(step)))
    total, found = store.read(histograms.read, run, "w", 11)
    assert total == 101
    assert [one.step for one in found] == list(range(0, 101, 10))
    assert [one.step for one in store.read(histograms.read, run, "w", 1).found] == [0]


def test_keys_and_their_steps(store: Store, run: str) -> None:
    for key, step in (("b/w", 1), ("a", 2), ("b/w", 3)):
        store.write(histograms.put, run, made(step, 1.0, key=key))
    assert store.read(histograms.steps, run) == {"a": [(2, 7)], "b/w": [(1, 7), (3, 7)]}
    assert list(store.read(histograms.steps, run)) == ["a", "b/w"]
    assert store.read(histograms.read, run, "none", 5) == (0, [])


@pytest.mark.parametrize(
    ("edges", "counts", "message"),
    [
        ((0.0, 1.0), (1.0, 2.0), "an edge more"),
        ((0.0,), (), "1 to 1024"),
        ((1.0, 0.0), (1.0,), "ascend"),
        ((0.0, float("nan")), (1.0,), "finite"),
        ((0.0, 1.0), (-1.0,), "not less than 0"),
        ((0.0, 1.0), (float("inf"),), "finite"),
        (tuple(map(float, range(1026))), (1.0,) * 1025, "1 to 1024"),
    ],
)
def test_what_is_no_histogram(edges: tuple[float, ...], counts: tuple[float, ...], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Histogram.of("w", 1, 1, column(*edges), column(*counts), 0, 0)


def test_other_mistakes(store: Store, run: str) -> None:
    with pytest.raises(InvalidInput, match="8 bytes"):
        Histogram.of("w", 1, 1, memoryview(b"123"), column(), 0, 0)
    with pytest.raises(InvalidInput, match="key"):
        made(1, 1.0, key="../x")
    with pytest.raises(InvalidInput, match="64 bits"):
        made(2**63, 1.0)
    with pytest.raises(InvalidInput, match="nan"):
        made(1, 1.0, nan=-1)
    with pytest.raises(NotFound):
        store.write(histograms.put, "none", made(1, 1.0))
    store.write(runs.delete, run)
    with pytest.raises(InvalidInput, match="deleted"):
        store.write(histograms.put, run, made(1, 1.0))
    assert limits.HISTOGRAM_BINS == 1024


def test_histograms_go_with_their_run(store: Store, run: str) -> None:
    store.write(histograms.put, run, made(1, 1.0))
    store.write(lambda tx: tx.change(schema.runs.delete()))
    assert store.read(lambda tx: tx.execute(schema.histograms.select()).all()) == []
