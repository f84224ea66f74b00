"""The count of what was lost, told on the run while it goes on."""

from __future__ import annotations

import time
from typing import Any

import pytest

import logbuch
from logbuch.sdk.connection import connect
from logbuch.sdk.shipping.losses import Losses


def test_what_is_new_is_told_seldomer_and_seldomer() -> None:
    told: list[tuple[str, int]] = []
    losses = Losses(lambda run_id, count: told.append((run_id, count)))
    losses.look(0)
    losses.add("")  # of no run
    losses.look(0)
    assert told == []
    losses.add("a")
    losses.add("b", 3)
    losses.look(1)
    assert told == [("a", 1), ("b", 3)]
    losses.add("a", 2)
    losses.look(2)
    assert len(told) == 2  # too soon
    losses.look(12)
    assert told[2:] == [("a", 3)]
    losses.look(1000)
    assert len(told) == 3  # nothing new
    for moment in range(1, 2000):
        losses.add("a")
        losses.look(1000.0 + 400 * moment)
    assert len(told) <= 101
    assert losses.of("a") == 2002
    assert losses.of("c") == 0


def test_a_running_run_says_what_it_has_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbuch.sdk.shipping.sender._SYNC_SECONDS", 0.05)
    with logbuch.start_run() as run:
        logbuch.log_param("p", 1)
        connection = connect()
        writer: Any = connection.writer(run.info.run_id)
        writer._params.clear()
        logbuch.log_param("p", 2)  # only the store knows: found late
        end = time.monotonic() + 60
        while "logbuch.records_lost" not in logbuch.get_run(run.info.run_id).data.tags:
            assert time.monotonic() < end
            time.sleep(0.02)
        found = logbuch.get_run(run.info.run_id)
        assert found.data.tags["logbuch.records_lost"] == "1"
        assert found.info.status == "RUNNING"
        assert logbuch.delivery().refused == 1
