"""The data of the workloads, all of it reproducible, with what each search must find of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

FIRST_TIME = 1_700_000_000_000
LETTERS = "abcdefghijklmnop"
WORD_LETTERS = 8
TEAMS, HOSTS, CHOICES = 20, 500, 20
Array = Any
"""A numpy array; this package is measured, not typed to the element."""


@dataclass(frozen=True, slots=True)
class Block:
    """Points of one run: each key at each step. ``values`` has a row for each step and a column for each key."""

    run_id: str
    keys: list[str]
    steps: Array
    timestamps: Array
    values: Array

    @property
    def points(self) -> int:
        return int(self.values.size)


@dataclass(frozen=True, slots=True)
class Series:
    """One metric's points: int64 steps and timestamps (ms), float64 values."""

    steps: Array
    timestamps: Array
    values: Array

    def blocks(self, run_id: str, key: str, size: int) -> Iterator[Block]:
        for start in range(0, len(self.steps), size):
            part = slice(start, start + size)
            yield Block(run_id, [key], self.steps[part], self.timestamps[part], self.values[part, None])


def series(points: int, *, noisy: bool) -> Series:
    """A loss: an exponential decay, with ``noisy`` normal noise on it, about every 10 ms."""
    random = np.random.default_rng(points)
    steps = np.arange(points, dtype=np.int64)
    values = 2 * np.exp(-3 * steps / points) + 0.3
    if noisy:
        values += random.normal(0, 0.05, points)
    return Series(steps, FIRST_TIME + np.cumsum(random.integers(8, 13, points)), values)


def dense(run_id: str, seed: int, first_step: int, steps: int, keys: int) -> Block:
    """A block of noisy values for keys m0, m1, …"""
    at = np.arange(first_step, first_step + steps, dtype=np.int64)
    random = np.random.default_rng((seed, first_step))
    values = 1 / (1 + at[:, None] / 100) + random.normal(0, 0.05, (steps, keys))
    return Block(run_id, [f"m{key}" for key in range(keys)], at, FIRST_TIME + 1000 * at, values)


@dataclass(frozen=True, slots=True)
class Query:
    """A search: what is asked, and which runs of the experiment it must find (by number, in order where it has one)."""

    name: str
    filter: str
    order_by: tuple[str, ...]
    expected: Callable[[Experiment], Array]


class Experiment:
    """``count`` runs, a second apart, each with ``keys`` metrics of one point, ``keys`` params and ``tags`` tags."""

    def __init__(self, count: int, tags: int = 4, keys: int = 20) -> None:
        self.count, self.tag_count = count, tags
        random = np.random.default_rng(count)
        self.metrics = random.random((count, keys))
        self.params = random.integers(0, CHOICES, (count, keys))
        self.teams = random.integers(0, TEAMS, count)
        self.hosts = random.integers(0, HOSTS, count)
        codes = np.array(list(LETTERS))[random.integers(0, len(LETTERS), (count, WORD_LETTERS))]
        self.words = ["".join(row) for row in codes]

    def start_time(self, number: int) -> int:
        return FIRST_TIME + 1000 * number

    def metrics_of(self, number: int) -> list[tuple[str, float]]:
        return [(f"m{key}", value) for key, value in enumerate(self.metrics[number].tolist())]

    def params_of(self, number: int) -> list[tuple[str, str]]:
        return [(f"p{key}", f"v{value:02d}") for key, value in enumerate(self.params[number].tolist())]

    def tags_of(self, number: int) -> list[tuple[str, str]]:
        own = [
            ("team", f"team-{self.teams[number]:02d}"),
            ("host", f"host-{self.hosts[number]:03d}"),
            ("word", self.words[number]),
        ]
        return own + [(f"t{key}", f"{key}-{number % (key + 7)}") for key in range(self.tag_count - len(own))]


def _newest(found: Array) -> Array:
    """Numbers of the runs that a mask marks, in the order of a search without one: newest first."""
    return np.flatnonzero(found)[::-1]


QUERIES = (
    Query("no filter", "", (), lambda data: _newest(np.ones(data.count, bool))),
    Query(
        "metric and param",
        "metrics.m1 > 0.9 AND params.p5 = 'v03'",
        (),
        lambda data: _newest((data.metrics[:, 1] > 0.9) & (data.params[:, 5] == 3)),
    ),
    Query("order by metric", "", ("metrics.m7 ASC",), lambda data: np.argsort(data.metrics[:, 7], kind="stable")),
    Query("tag prefix", "tags.host LIKE 'host-01%'", (), lambda data: _newest(data.hosts // 10 == 1)),
    Query(
        "tag substring",
        "tags.word LIKE '%ab%'",
        (),
        lambda data: _newest(np.array(["ab" in word for word in data.words])),
    ),
)

MORE_QUERIES = (
    Query("order by param", "", ("params.p3 ASC",), lambda data: _by_param(data, 3)),
    Query(
        "part of a name",
        "attributes.run_name ILIKE '%N-77%'",
        (),
        lambda data: _newest(np.array([str(number).startswith("77") for number in range(data.count)])),
    ),
)
"""What the page asks besides. Asked of Logbuch alone."""


def _by_param(data: Experiment, key: int) -> Array:
    """Numbers of the runs by the value of a param, of equal ones the newest first."""
    return np.lexsort((-np.arange(data.count), data.params[:, key]))
