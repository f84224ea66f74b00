"""Reading a metric back through the API, all pages, and holding it against what was acknowledged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
import numpy as np

from benchmarks.client import MLFLOW, Client
from benchmarks.generator import Block, Series

PAGE = 25_000
"""What MLflow's client asks for."""
READERS = 4
"""Connections that read points back for comparison, which is not timed."""


class Lost(Exception):
    """Points that were acknowledged did not come back as they were sent."""


class _Point(msgspec.Struct):
    value: float
    timestamp: int
    step: int = 0


class _Page(msgspec.Struct):
    metrics: list[_Point] = []
    next_page_token: str | None = None


_decoder = msgspec.json.Decoder(_Page, strict=False)


@dataclass(frozen=True, slots=True)
class Read:
    """A metric as it came back, by step; ``seconds`` are those of the requests alone."""

    series: Series
    seconds: float
    requests: int
    size: int


def read(client: Client, run_id: str, key: str) -> Read:
    """All points of a metric."""
    parts: list[list[_Point]] = []
    seconds, size, token = 0.0, 0, None
    while True:
        query = {"run_id": run_id, "metric_key": key, "max_results": PAGE} | ({"page_token": token} if token else {})
        spent, content = client.timed("GET", f"{MLFLOW}metrics/get-history?{urlencode(query)}")
        page = _decoder.decode(content)
        parts.append(page.metrics)
        seconds, size, token = seconds + spent, size + len(content), page.next_page_token
        if not token:
            return Read(_series(parts), seconds, len(parts), size)


def _series(parts: list[list[_Point]]) -> Series:
    points = [point for part in parts for point in part]
    steps = np.array([point.step for point in points], np.int64)
    order = np.argsort(steps, kind="stable")
    timestamps = np.array([point.timestamp for point in points], np.int64)[order]
    return Series(steps[order], timestamps, np.array([point.value for point in points])[order])


def verify(found: Series, expected: Series, what: str) -> None:
    """Lost unless every point came back exactly once and bit by bit the same."""
    if len(found.steps) != len(expected.steps):
        raise Lost(f"{what}: {len(expected.steps)} points were acknowledged, {len(found.steps)} came back")
    for column in ("steps", "timestamps", "values"):
        if not np.array_equal(getattr(found, column), getattr(expected, column)):
            raise Lost(f"{what}: the {column} that came back are not those that were acknowledged")


def verify_blocks(client: Client, blocks: list[Block]) -> None:
    """Reads back every key of the blocks, which are of one run and have the same keys, in the order of steps."""
    steps, timestamps = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("steps", "timestamps"))
    values: Any = np.concatenate([block.values for block in blocks])
    run_id, keys = blocks[0].run_id, blocks[0].keys

    def check(reader: int) -> None:
        own = client.another()
        for column in range(reader, len(keys), READERS):
            expected = Series(steps, timestamps, values[:, column])
            verify(read(own, run_id, keys[column]).series, expected, f"{keys[column]} of {run_id}")

    with ThreadPoolExecutor(READERS) as readers:
        list(readers.map(check, range(READERS)))
