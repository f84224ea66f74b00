"""Charts on both databases: whatever is sealed, summarized or still in the log, a bucket says what its points say."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbuch.errors import InvalidInput
from logbuch.model import Metric
from logbuch.store import Store, batch, runs, schema
from logbuch.store.metrics import blocks, buckets, charts, history, rows, sealing
from logbuch.store.metrics.buckets import Buckets, View
from logbuch.store.metrics.rows import Axis
from logbuch.store.runs import NewRun


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and stretches so short that a few points need many."""
    for module, name, value in (
        (rows, "STRETCH", 4),
        (rows, "LEAST", 8),
        (charts, "STRETCH", 4),
        (charts, "STRETCHES", 1),
        (blocks, "BLOCK_POINTS", 32),
        (blocks, "SMALL_POINTS", 8),
    ):
        monkeypatch.setattr(module, name, value)


def new_run(store: Store) -> str:
    return store.write(runs.create, NewRun(experiment_id="0")).info.run_id


def log_points(store: Store, run_id: str, metrics: Sequence[Metric]) -> None:
    for start in range(0, len(metrics), 1000):
        store.write(batch.log_batch, run_id, metrics[start : start + 1000])


def seal(store: Store, run_id: str) -> None:
    sealing.seal(store.read, store.write, store.read(runs.row, run_id).id)


def draw(store: Store, run_id: str, view: View, axis: Axis = "step") -> Buckets:
    inner = store.read(runs.row, run_id).id
    ids = store.read(lambda tx: tx.known_names(["m"]))
    return store.read(charts.tables, inner, [ids["m"]], axis, view)[ids["m"]]


def column(found: Buckets, name: str) -> list[float]:
    values: list[float] = found.table[buckets.COLUMNS.index(name)].tolist()
    return values


POINTS = st.lists(
    st.tuples(
        st.integers(0, 300), st.sampled_from([0, 1, 2, 50]), st.sampled_from([0.0, 1.5, -7.0, 1e9, math.nan, math.inf])
    ),
    min_size=1,
    max_size=120,
)


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(POINTS, min_size=1, max_size=3),
    sealed=st.lists(st.booleans(), min_size=3, max_size=3),
    count=st.integers(1, 40),
    axis=st.sampled_from(["step", "time"]),
    zoom=st.none() | st.tuples(st.integers(0, 300), st.integers(0, 100)),
)
def test_every_bucket_says_what_its_points_say(
    store: Store,
    parts: list[list[tuple[int, int, float]]],
    sealed: list[bool],
    count: int,
    axis: Axis,
    zoom: tuple[int, int] | None,
) -> None:
    run_id = new_run(store)
    logged = set()
    for part, now in zip(parts, sealed, strict=False):
        # Timestamps follow the steps but for a little: mostly they ascend from block to block, sometimes not.
        points = [(step, 1000 * step + 10 * late, value) for step, late, value in part]
        logged |= {(step, time, repr(value)) for step, time, value in points}
        log_points(store, run_id, [Metric(key="m", step=s, timestamp=t, value=v) for s, t, v in points])
        if now:
            seal(store, run_id)
    scale = 1 if axis == "step" else 1000
    start, end = (None, None) if zoom is None else (zoom[0] * scale, (zoom[0] + zoom[1]) * scale)
    found = draw(store, run_id, View(count, start, end), axis)
    plain = [(s if axis == "step" else t, t, s, float(v)) for s, t, v in logged]
    series = sorted(plain, key=lambda point: (*point[:3], math.isnan(point[3]), point[3]))
    assert found.points == len(series)
    assert (found.x_min, found.x_max) == (series[0][0], series[-1][0])
    assert found.table.shape[1] <= max(count, 1)
    sizes = np.sum([column(found, name) for name in ("count", "nan", "pos_inf", "neg_inf")], axis=0)
    inside = [index for index, point in enumerate(series) if (start is None or start <= point[0] <= (end or 0))]
    assert sizes.sum() >= len(inside), "all points of the view are shown"
    # The rows follow the series from the first point shown on.
    position = 0
    if found.table.shape[1]:
        xs = [point[0] for point in series]
        candidates = [i for i in range(len(series)) if xs[i] == column(found, "x")[0]]
        fits = [i for i in candidates if _agrees(series, i, sizes.astype(int).tolist(), found)]
        assert fits, "each bucket is exact for a stretch of the series"
        position = fits[0]
    assert not inside or position <= inside[0]


def _agrees(series: list[tuple[int, int, int, float]], start: int, sizes: list[int], found: Buckets) -> bool:
    for index, size in enumerate(sizes):
        part = series[start : start + size]
        finite = [point[3] for point in part if math.isfinite(point[3])]
        row = {name: column(found, name)[index] for name in ("x", "x_last", "count", "min", "max", "nan")}
        if len(part) != size or (row["x"], row["x_last"]) != (part[0][0], part[-1][0]):
            return False
        if row["count"] != len(finite) or row["nan"] != sum(math.isnan(point[3]) for point in part):
            return False
        if finite and (row["min"], row["max"]) != (min(finite), max(finite)):
            return False
        start += size
    return True


def test_summaries_are_read_instead_of_points(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = new_run(store)
    log_points(store, run_id, [Metric(key="m", value=float(i == 777), timestamp=i, step=i) for i in range(1000)])
    seal(store, run_id)
    read: list[int] = []
    original = blocks.read

    def counting(tx, ids):  # type: ignore[no-untyped-def]
        read.extend(ids)
        return original(tx, ids)

    monkeypatch.setattr(blocks, "read", counting)
    whole = draw(store, run_id, View(20))
    assert len(read) <= 1, "only the last block, which is too short for a summary"
    assert sum(column(whole, "count")) == 1000
    assert column(whole, "max").count(1.0) == 1
    read.clear()
    part = draw(store, run_id, View(40, 770, 790))
    assert 1 <= len(read) <= 3
    assert part.table.shape[1] == 21
    assert (part.x_min, part.x_max, part.points) == (0, 999, 1000)


def test_a_late_point_rewrites_only_the_block_it_falls_into(store: Store) -> None:
    run_id = new_run(store)
    log_points(store, run_id, [Metric(key="m", value=1.0, timestamp=i, step=i * 2) for i in range(320)])
    seal(store, run_id)
    inner = store.read(runs.row, run_id).id
    key = store.read(lambda tx: tx.known_names(["m"]))["m"]
    before = store.read(blocks.heads, inner, [key])[key]
    assert len(before) == 10
    log_points(
        store,
        run_id,
        [Metric(key="m", value=9.0, timestamp=0, step=101), Metric(key="m", value=9.0, timestamp=0, step=9999)],
    )
    seal(store, run_id)
    after = store.read(blocks.heads, inner, [key])[key]
    assert len({head.id for head in before} & {head.id for head in after}) == 9
    assert sum(head.points for head in after) == 322
    found = draw(store, run_id, View(1000))
    assert column(found, "max").count(9.0) == 2


def test_smoothing_of_a_part_is_that_of_the_whole(store: Store) -> None:
    run_id = new_run(store)
    rng = np.random.default_rng(4)
    logged = [Metric(key="m", value=float(rng.normal()), timestamp=i, step=i) for i in range(1000)]
    log_points(store, run_id, logged)
    seal(store, run_id)
    whole, part = draw(store, run_id, View(4000, smoothing=0.8)), draw(store, run_id, View(400, 500, 560, 0.8))
    assert whole.table.shape[1] == 1000
    assert column(part, "smooth") == pytest.approx(column(whole, "smooth")[500:561], abs=0.01)


def history_of(store: Store, run_id: str, limit: int) -> list[Metric]:
    found: list[Metric] = []
    token: str | None = ""
    while token is not None:
        page, token = store.read(history.page, run_id, "m", limit, token)
        found += history.metrics("m", page)
    return found


@pytest.mark.parametrize("limit", [7, 50, 1000])
def test_one_step_may_fill_many_blocks(store: Store, limit: int) -> None:
    run_id = new_run(store)
    rng = np.random.default_rng(5)
    values = rng.permutation(300).astype(float).tolist()
    log_points(store, run_id, [Metric(key="m", value=value, timestamp=5, step=0) for value in values[:200]])
    seal(store, run_id)
    log_points(store, run_id, [Metric(key="m", value=value, timestamp=5, step=0) for value in [*values[200:], 0.5]])
    assert [point.value for point in history_of(store, run_id, limit)] == sorted([*values, 0.5])
    seal(store, run_id)
    assert [point.value for point in history_of(store, run_id, limit)] == sorted([*values, 0.5])


def test_points_without_steps_are_appended_and_rewrite_nothing(store: Store) -> None:
    run_id = new_run(store)
    log_points(store, run_id, [Metric(key="m", value=1.0, timestamp=i) for i in range(320)])
    seal(store, run_id)
    inner = store.read(runs.row, run_id).id
    key = store.read(lambda tx: tx.known_names(["m"]))["m"]
    before = {head.id for head in store.read(blocks.heads, inner, [key])[key]}
    log_points(store, run_id, [Metric(key="m", value=2.0, timestamp=320 + i) for i in range(64)])
    seal(store, run_id)
    after = store.read(blocks.heads, inner, [key])[key]
    assert before < {head.id for head in after}
    assert [head.first[1] for head in after] == list(range(0, 384, 32))
    assert column(draw(store, run_id, View(1), "step"), "last") == [2.0]


def test_a_page_of_a_restarted_training_reads_few_blocks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = new_run(store)
    # From step 600 on once more, as a training does that goes on from a checkpoint.
    steps = [*range(1000), *range(600, 1600)]
    logged = [Metric(key="m", value=float(i), timestamp=10 * i, step=step) for i, step in enumerate(steps)]
    log_points(store, run_id, logged)
    seal(store, run_id)
    read: list[int] = []
    original = blocks.read

    def counting(tx, ids):  # type: ignore[no-untyped-def]
        read.extend(ids)
        return original(tx, ids)

    monkeypatch.setattr(blocks, "read", counting)
    assert history_of(store, run_id, 100) == logged
    assert len(read) < 300, "20 pages, of which some need all 25 blocks that hold old and new points"


def test_a_damaged_block_hides_no_other_and_is_kept(store: Store) -> None:
    run_id = new_run(store)
    log_points(store, run_id, [Metric(key="m", value=1.0, timestamp=i, step=i) for i in range(320)])
    seal(store, run_id)
    inner = store.read(runs.row, run_id).id
    key = store.read(lambda tx: tx.known_names(["m"]))["m"]
    victim = store.read(blocks.heads, inner, [key])[key][3]
    for torn in (b"", b"\\x01", b"\\x01" + b"\\xff" * 40, b"\\x63" * 40):
        store.write(lambda tx, torn=torn: tx.change(
            schema.blocks.update().where(schema.blocks.c.id == victim.id).values(data=torn)
        ).rowcount)  # fmt: skip
        assert len(history_of(store, run_id, 100)) == 288
        assert draw(store, run_id, View(400)).points == 288
    log_points(store, run_id, [Metric(key="m", value=9.0, timestamp=100, step=100)])
    seal(store, run_id)
    assert len(history_of(store, run_id, 100)) == 289
    assert victim.id in {head.id for head in store.read(blocks.heads, inner, [key])[key]}


def test_a_history_token_that_is_nested_deeply_is_refused(store: Store) -> None:
    run_id = new_run(store)
    log_points(store, run_id, [Metric(key="m", value=1.0, timestamp=1)])
    with pytest.raises(InvalidInput, match="page_token"):
        store.read(history.page, run_id, "m", 5, base64.urlsafe_b64encode(b"[" * 30_000).decode())
