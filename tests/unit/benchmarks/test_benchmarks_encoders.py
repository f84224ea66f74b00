"""What the encoders send is what the generator made, and answers that refuse are noticed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from benchmarks.client import Refused
from benchmarks.encoders import JsonBatches, NativeIngest
from benchmarks.generator import dense

from logbuch.wire import intake

BLOCK = dense("0" * 32, 1, 100, 3, 700)


def test_batches_are_split_at_what_the_protocol_takes() -> None:
    requests = [json.loads(body) for body in JsonBatches().bodies(BLOCK)]
    assert [len(request["metrics"]) for request in requests] == [1000, 1000, 100]
    points = [point for request in requests for point in request["metrics"]]
    assert [point["value"] for point in points] == BLOCK.values.ravel().tolist()
    assert points[701] == {
        "key": "m1", "value": BLOCK.values[1, 1], "timestamp": int(BLOCK.timestamps[1]), "step": 101,
    }  # fmt: skip


class Target:
    """Takes the points that a record enters."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, int], tuple[int, float]] = {}

    def metrics(
        self, run_id: str, names: list[str], index: object, steps: object, timestamps: object, values: object
    ) -> None:
        rows = zip(*(np.asarray(column).tolist() for column in (index, steps, timestamps, values)), strict=True)
        self.points |= {(names[key], step): (timestamp, value) for key, step, timestamp, value in rows}


def test_the_native_protocol_carries_the_same_points() -> None:
    encoder, target = NativeIngest(), Target()
    batches = [intake.decode(body, compressed=False) for _ in range(2) for body in encoder.bodies(BLOCK)]
    for entry in batches[0].entries:
        entry.perform(target)  # type: ignore[arg-type]
    assert len(target.points) == BLOCK.points
    for step, timestamp, row in zip(
        BLOCK.steps.tolist(), BLOCK.timestamps.tolist(), BLOCK.values.tolist(), strict=True
    ):
        assert [target.points[key, step] for key in BLOCK.keys] == [(timestamp, value) for value in row]


def test_batches_of_a_journal_follow_on_each_other() -> None:
    encoder = NativeIngest()
    first, second = (intake.decode(body, compressed=False) for _ in range(2) for body in encoder.bodies(BLOCK))
    assert first.journal == second.journal
    assert second.before == first.entries[-1].chain
    assert second.entries[0].first == first.entries[-1].last + 1


def test_a_refused_record_is_noticed() -> None:
    NativeIngest.check(b'{"sequence": 1, "chain": "00", "refused": []}')
    with pytest.raises(Refused, match="no such run"):
        NativeIngest.check(b'{"sequence": 1, "chain": "00", "refused": [{"message": "no such run"}]}')
