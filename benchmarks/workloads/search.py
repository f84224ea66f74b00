"""Searching one experiment: pages of 100 whole runs, each held against what the generator knows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from benchmarks import by_key, filling, seeding
from benchmarks.client import MLFLOW, Client
from benchmarks.figures import Figures, latency
from benchmarks.generator import MORE_QUERIES, QUERIES, Experiment, Query
from benchmarks.history import Lost
from benchmarks.servers import Server
from benchmarks.sizes import Sizes
from logbuch.store import open_store

PAGE = 100
CHECK_PAGE = 1000
LARGE_TAGS = 10
HUGE_TAGS, HUGE_KEYS = 4, 8
DEEP = "deep page"


class _Info(msgspec.Struct):
    run_id: str


class _Run(msgspec.Struct):
    info: _Info


class _Answer(msgspec.Struct):
    runs: list[_Run] = []
    next_page_token: str | None = None


_PATH = MLFLOW + "runs/search"
_decoder = msgspec.json.Decoder(_Answer)


@dataclass
class _Searched:
    """An experiment that a server holds, and what was found of it: ``ids`` are the runs' by number."""

    name: str
    client: Client
    experiment_id: str
    data: Experiment
    ids: list[str]
    sizes: Sizes
    figures: Figures = field(default_factory=dict)

    def body(self, query: Query, token: str | None = None, size: int = PAGE) -> bytes:
        body: dict[str, Any] = {"experiment_ids": [self.experiment_id], "max_results": size}
        body |= {"filter": query.filter} if query.filter else {}
        body |= {"order_by": list(query.order_by)} if query.order_by else {}
        return msgspec.json.encode(body | ({"page_token": token} if token else {}))

    def search(self, body: bytes) -> _Answer:
        return _decoder.decode(self.client.request("POST", _PATH, body))

    def expected(self, query: Query) -> list[str]:
        return [self.ids[number] for number in query.expected(self.data).tolist()]

    def time_page(self, label: str, body: bytes, expected: list[str]) -> None:
        """Repeats a search after a first one, which is checked."""
        if [run.info.run_id for run in self.search(body).runs] != expected:
            raise Lost(f"{self.name} {label}: the page holds other runs than it must, or in another order")
        times: list[float] = []
        least, most, begun = 3, self.sizes.repetitions, time.perf_counter()
        while len(times) < least or (len(times) < most and time.perf_counter() - begun < self.sizes.query_seconds):
            times.append(self.client.timed("POST", _PATH, body)[0])
        self.figures |= latency(f"{self.name} {label}", times, tail=True)


Beside = Callable[[str, list[str]], None]
"""Called after each query with its name and the runs of its page: for what is measured next to it."""


def measure(server: Server, sizes: Sizes) -> Figures:
    """10,000 runs, on every server."""
    searched = _seeded("search", server, Experiment(sizes.runs), sizes)
    _queries(searched, sizes.deep_page, lambda *_: None)
    return searched.figures


def measure_large(server: Server, sizes: Sizes) -> tuple[Figures, Figures]:
    """100,000 runs of 50 columns; also the same runs' rows by primary key."""
    begun = time.perf_counter()
    searched = _seeded("large search", server, Experiment(sizes.large_runs, LARGE_TAGS), sizes)
    searched.figures["large search logged, runs/s"] = sizes.large_runs / (time.perf_counter() - begun)
    limits: Figures = {}

    def beside(label: str, run_ids: list[str]) -> None:
        spent = by_key.seconds(server.sqlite_file or server.database, run_ids, sizes.repetitions)
        limits.update(latency(f"large search {label}", spent, tail=True))

    _queries(searched, sizes.large_deep_page, beside, (*QUERIES, *MORE_QUERIES))
    return searched.figures, limits


def measure_huge(server: Server, sizes: Sizes) -> Figures:
    """1,000,000 runs of 21 columns: the stress case. They are written into the tables beside the running server."""
    data = Experiment(sizes.huge_runs, HUGE_TAGS, HUGE_KEYS)
    client = server.client
    experiment_id = client.new_experiment("searched")
    file = server.sqlite_file
    store = open_store(server.database if file is None else f"sqlite:///{file}", seal=False)
    begun = time.perf_counter()
    ids = filling.fill(store, experiment_id, data)
    store.close()
    figures = {"huge search written, runs/s": len(ids) / (time.perf_counter() - begun)}
    server.processes.rest(sizes.quiet_seconds)
    searched = _Searched("huge search", client, experiment_id, data, ids, sizes, figures)
    _queries(searched, sizes.huge_deep_page, lambda *_: None, (*QUERIES, *MORE_QUERIES))
    return searched.figures


def _seeded(name: str, server: Server, data: Experiment, sizes: Sizes) -> _Searched:
    client = server.client
    experiment_id = client.new_experiment("searched")
    ids = seeding.seed_runs(server, experiment_id, data)
    server.processes.rest(sizes.quiet_seconds)
    return _Searched(name, client, experiment_id, data, ids, sizes)


def _queries(searched: _Searched, deep: int, beside: Beside, queries: Sequence[Query] = QUERIES) -> None:
    for query in queries:
        expected = searched.expected(query)
        searched.time_page(query.name, searched.body(query), expected[:PAGE])
        beside(query.name, expected[:PAGE])
        if query.filter:
            _check_all(searched, query, expected)
    plain = QUERIES[0]
    place = (min(deep, searched.data.count // PAGE) - 1) * PAGE
    expected = searched.expected(plain)[place : place + PAGE]
    searched.time_page(DEEP, searched.body(plain, _token_after(searched, plain, place)), expected)
    beside(DEEP, expected)


def _check_all(searched: _Searched, query: Query, expected: list[str]) -> None:
    found: list[str] = []
    token: str | None = None
    while True:
        answer = searched.search(searched.body(query, token, CHECK_PAGE))
        found += [run.info.run_id for run in answer.runs]
        token = answer.next_page_token
        if not token:
            break
    if found != expected:
        raise Lost(f"search {query.name}: found {len(found)} runs in all pages where {len(expected)} match")


def _token_after(searched: _Searched, query: Query, runs: int) -> str | None:
    """The token of the page that begins after so many runs."""
    token = None
    for _ in range(runs // PAGE):
        token = searched.search(searched.body(query, token)).next_page_token
    return token
