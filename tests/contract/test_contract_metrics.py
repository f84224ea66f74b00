"""The metric engine, on both databases: what was logged comes back, whatever was sealed in between."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbuch.errors import InvalidInput
from logbuch.model import Metric
from logbuch.store import Store, batch, runs, table
from logbuch.store.metrics import blocks, history, sealing
from logbuch.store.runs import NewRun

ODD = [math.nan, math.inf, -math.inf, -0.0, 0.0, 1e308, -1e308, 5e-324, 1 / 3]


def new_run(store: Store) -> str:
    return store.write(runs.create, NewRun(experiment_id="0")).info.run_id


def seal(store: Store, run_id: str) -> int:
    return sealing.seal(store.read, store.write, store.read(runs.row, run_id).id)


def points(store: Store, run_id: str, key: str = "m", limit: int | None = None) -> list[Metric]:
    seen, token = [], ""
    while token is not None:
        page, token = store.read(history.page, run_id, key, limit, token)
        seen += history.metrics(key, page)
    return seen


def bits(metrics: Sequence[Metric]) -> list[tuple[int, int, bytes]]:
    return [(point.timestamp, point.step, struct.pack("<d", point.value)) for point in metrics]


def log_points(store: Store, run_id: str, metrics: Sequence[Metric]) -> None:
    for start in range(0, len(metrics), 1000):
        store.write(batch.log_batch, run_id, metrics[start : start + 1000])


def test_odd_values_come_back_bit_for_bit_before_and_after_sealing(store: Store) -> None:
    run_id = new_run(store)
    logged = [Metric(key="m", value=value, timestamp=index, step=index) for index, value in enumerate(ODD)]
    log_points(store, run_id, logged)
    assert bits(points(store, run_id)) == bits(logged)
    assert seal(store, run_id) == len(ODD)
    assert bits(points(store, run_id)) == bits(logged)


def test_the_latest_is_the_highest_step_then_time_then_value(store: Store) -> None:
    run_id = new_run(store)

    def latest(*logged: tuple[int, int, float]) -> float:
        log_points(store, run_id, [Metric(key="m", value=v, timestamp=t, step=s) for s, t, v in logged])
        return store.read(runs.get, run_id).data.metrics["m"]

    assert latest((1, 10, 1.0)) == 1.0
    assert latest((0, 99, 5.0)) == 1.0
    assert latest((1, 11, 0.5)) == 0.5
    assert latest((1, 11, 0.7), (1, 11, 0.6)) == 0.7
    assert latest((-5, 1, 100.0)) == 0.7
    column = store.read(table.values, [store.read(runs.row, run_id).id], ["metrics.m"])["metrics.m"]
    assert (column["min"], column["min_step"], column["max"], column["max_step"]) == ([0.5], [1], [100.0], [-5])


def test_least_and_greatest_leave_nan_out(store: Store) -> None:
    run_id = new_run(store)
    inner = [store.read(runs.row, run_id).id]
    log_points(store, run_id, [Metric(key="m", value=math.nan, timestamp=1, step=1)])
    column = store.read(table.values, inner, ["metrics.m"])["metrics.m"]
    assert math.isnan(column["last"][0])
    assert (column["min"], column["max"]) == ([None], [None])
    log_points(store, run_id, [Metric(key="m", value=v, timestamp=1, step=0) for v in (2.0, -math.inf)])
    column = store.read(table.values, inner, ["metrics.m"])["metrics.m"]
    assert math.isnan(column["last"][0])
    assert (column["min"], column["max"]) == ([-math.inf], [2.0])


def test_an_exact_duplicate_changes_nothing(store: Store) -> None:
    run_id = new_run(store)
    point = Metric(key="m", value=1.5, timestamp=7, step=3)
    log_points(store, run_id, [point, point])
    seal(store, run_id)
    log_points(store, run_id, [point])
    assert points(store, run_id) == [point]
    seal(store, run_id)
    assert points(store, run_id) == [point]


def test_history_comes_in_pages_in_the_order_of_time(store: Store) -> None:
    run_id = new_run(store)
    logged = [Metric(key="m", value=float(i % 3), timestamp=i // 4, step=-i) for i in range(50)]
    log_points(store, run_id, logged[:20])
    seal(store, run_id)
    log_points(store, run_id, logged[20:])
    expected = sorted(bits(logged), key=lambda point: point[:2])
    assert bits(points(store, run_id)) == expected
    assert bits(points(store, run_id, limit=7)) == expected
    with pytest.raises(InvalidInput, match="page_token"):
        store.read(history.page, run_id, "m", 7, "nonsense")


def test_late_points_at_lower_steps_find_their_place(store: Store) -> None:
    run_id = new_run(store)
    late = [Metric(key="m", value=1.0, timestamp=10_000 + i, step=i) for i in range(100)]
    log_points(store, run_id, [Metric(key="m", value=2.0, timestamp=i, step=1000 + i) for i in range(3000)])
    seal(store, run_id)
    log_points(store, run_id, late)
    seal(store, run_id)
    found = points(store, run_id)
    assert len(found) == 3100
    assert found[-100:] == late


def test_many_blocks_of_one_series(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_POINTS", 100)
    run_id = new_run(store)
    logged = [Metric(key="m", value=i / 7, timestamp=i, step=i) for i in range(950)]
    for start in range(0, 950, 190):
        log_points(store, run_id, logged[start : start + 190])
        seal(store, run_id)
    assert points(store, run_id) == logged


def test_two_sealers_do_not_double_or_lose(store: Store) -> None:
    run_id = new_run(store)
    logged = [Metric(key="m", value=1.0, timestamp=i, step=i) for i in range(500)]
    log_points(store, run_id, logged)
    inner = store.read(runs.row, run_id).id
    ids, blobs = store.read(sealing._log_of, inner, 10**9)
    arrived = {key: series.ordered() for key, series in sealing.split_arrivals(blobs).items()}
    packed = blocks.pack(inner, store.read(blocks.rewrites, inner, arrived))
    assert seal(store, run_id) == 500
    with pytest.raises(sealing._Taken):
        store.write(sealing._swap, inner, ids, packed)
    assert points(store, run_id) == logged


def test_a_bad_request_fails_alone_in_its_group(store: Store) -> None:
    run_id = new_run(store)

    def group(tx: object) -> None:
        batch.log_batch(tx, run_id, [Metric(key="good", value=1, timestamp=1)])  # type: ignore[arg-type]

    futures = []
    from concurrent.futures import Future

    from logbuch.store.writer import Job, ThreadWaiter

    for number in range(20):
        future: Future[None] = Future()
        lost = (batch.log_batch, ("missing", [Metric(key="x", value=1, timestamp=1)]))
        store._writer.submit(Job(ThreadWaiter(future), *((group,) if number % 2 else lost)))  # type: ignore[arg-type]
        futures.append(future)
    failed = [future.exception(10) is not None for future in futures]
    assert failed == [number % 2 == 0 for number in range(20)]
    assert points(store, run_id, "good") == [Metric(key="good", value=1, timestamp=1)]


POINT = st.builds(
    Metric,
    key=st.sampled_from(["a", "b/c", "d e"]),
    value=st.floats(allow_nan=True, allow_infinity=True),
    timestamp=st.integers(-(2**63), 2**63 - 1),
    step=st.integers(-(2**63), 2**63 - 1),
)


@settings(max_examples=30, deadline=None)
@given(parts=st.lists(st.lists(POINT, max_size=12), max_size=5), sealed=st.lists(st.booleans(), min_size=5, max_size=5))
def test_any_points_in_any_order_are_a_set(store: Store, parts: list[list[Metric]], sealed: list[bool]) -> None:
    run_id = new_run(store)
    for part, now in zip(parts, sealed, strict=False):
        log_points(store, run_id, part)
        if now:
            seal(store, run_id)
    for key in ("a", "b/c", "d e"):
        mine = [point for part in parts for point in part if point.key == key]
        canonical = [
            Metric(key=key, value=math.nan if math.isnan(m.value) else m.value, timestamp=m.timestamp, step=m.step)
            for m in mine
        ]
        assert set(bits(points(store, run_id, key))) == set(bits(canonical))
        assert len(points(store, run_id, key)) == len(set(bits(canonical)))
