"""Histograms of runs over steps: a row each, edges and counts packed."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from sqlalchemy import func, select

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.store import runs, schema
from logbuch.store.heads import RunRow
from logbuch.store.tx import Tx

_table = schema.histograms


class Histogram(NamedTuple):
    """``counts[i]`` values from ``edges[i]`` to ``edges[i + 1]`` at a step and time (ms)."""

    key: str
    step: int
    timestamp: int
    edges: Sequence[float]
    counts: Sequence[float]
    nan: int
    infinite: int

    @classmethod
    def of(
        cls, key: str, step: int, timestamp: int, edges: memoryview, counts: memoryview, nan: int, infinite: int
    ) -> Histogram:
        """From columns of little-endian float64. InvalidInput for what is no histogram."""
        limits.check_key(key, "key")
        for name, value in (("step", step), ("timestamp", timestamp), ("nan", nan), ("infinite", infinite)):
            limits.check_integer(value, name)
        if min(nan, infinite) < 0:
            raise InvalidInput("'nan' and 'infinite' must not be less than 0.")
        if len(edges) % 8 or len(counts) % 8 or len(edges) != len(counts) + 8:
            raise InvalidInput("A histogram must have an edge more than counts, all of 8 bytes.")
        borders, heights = np.frombuffer(edges, "<f8"), np.frombuffer(counts, "<f8")
        if not 1 <= len(heights) <= limits.HISTOGRAM_BINS:
            raise InvalidInput(f"A histogram must have 1 to {limits.HISTOGRAM_BINS} counts, not {len(heights)}.")
        if not np.isfinite(borders).all() or (np.diff(borders) < 0).any():
            raise InvalidInput("The edges of a histogram must be finite and ascend.")
        if not np.isfinite(heights).all() or (heights < 0).any():
            raise InvalidInput("The counts of a histogram must be finite and not less than 0.")
        return cls(key, step, timestamp, borders.tolist(), heights.tolist(), nan, infinite)


class Series(NamedTuple):
    """Histograms of a key by step and time, ``total`` as many as there are in all."""

    total: int
    found: Sequence[Histogram]


class _Stored(msgspec.Struct, array_like=True, frozen=True):
    edges: bytes
    counts: bytes
    nan: int
    infinite: int


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Stored).decode


def put(tx: Tx, run_id: str, histogram: Histogram) -> None:
    """Keeps a histogram of an active run."""
    _put(tx, runs.active(tx, run_id), histogram)


def _put(tx: Tx, head: RunRow, histogram: Histogram) -> None:
    key = tx.name_ids([histogram.key])[histogram.key]
    edges, counts = (np.array(numbers, "<f8").tobytes() for numbers in (histogram.edges, histogram.counts))
    stored = _Stored(edges, counts, histogram.nan, histogram.infinite)
    row = {
        "run": head.id,
        "key": key,
        "step": histogram.step,
        "timestamp": histogram.timestamp,
        "data": zlib.compress(_pack(stored), 1),
    }
    tx.insert(tx.seam.upsert(_table, _anew), [row])
    tx.touch(head.id, head.experiment)


def take(tx: Tx, run_id: str, found: Sequence[Histogram]) -> None:
    """Takes over histograms of a run, deleted or not: all or, if one breaks a rule, none."""
    head = runs.row(tx, run_id)
    for histogram in found:
        edges, counts = (memoryview(np.array(numbers, "<f8").tobytes()) for numbers in histogram[3:5])
        _put(tx, head, Histogram.of(*histogram[:3], edges, counts, *histogram[5:]))


def steps(tx: Tx, run_id: str) -> Mapping[str, list[tuple[int, int]]]:
    """The keys of a run's histograms, each with its steps and times."""
    run = runs.row(tx, run_id).id
    query = select(_table.c.key, _table.c.step, _table.c.timestamp).where(_table.c.run == run)
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for key, step, timestamp in tx.execute(query.order_by(_table.c.key, _table.c.step, _table.c.timestamp)):
        found[key].append((step, timestamp))
    names = tx.texts(found)
    return {names[key]: places for key, places in sorted(found.items(), key=lambda item: names[item[0]])}


def read(tx: Tx, run_id: str, key: str, limit: int) -> Series:
    """The histograms of a key; of more than ``limit`` an even choice, with the first and the last."""
    run = runs.row(tx, run_id).id
    id_ = tx.known_names([key]).get(key)
    if id_ is None:
        return Series(0, [])
    condition = (_table.c.run == run) & (_table.c.key == id_)
    total = int(tx.execute(select(func.count()).where(condition)).scalar_one())
    order = (_table.c.step, _table.c.timestamp)
    places = tx.execute(select(*order).where(condition).order_by(*order)).all()
    wanted = {places[at] for at in _even(total, limit)} if total > limit else None
    rows = tx.execute(select(*order, _table.c.data).where(condition).order_by(*order))
    return Series(
        total, [_histogram(key, *row) for row in rows if wanted is None or (row.step, row.timestamp) in wanted]
    )


def _even(total: int, limit: int) -> Sequence[int]:
    return [number * (total - 1) // max(1, limit - 1) for number in range(limit)]


def _histogram(key: str, step: int, timestamp: int, data: bytes) -> Histogram:
    stored = _unpack(zlib.decompress(data))
    edges, counts = (np.frombuffer(column, "<f8").tolist() for column in (stored.edges, stored.counts))
    return Histogram(key, step, timestamp, edges, counts, stored.nan, stored.infinite)


def _anew(new: Any) -> Mapping[str, Any]:
    return {"data": new.data}
