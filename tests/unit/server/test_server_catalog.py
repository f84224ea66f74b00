"""The remembered keys of slow experiments."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from logbuch.model import Metric, Param
from logbuch.server import catalog
from logbuch.store import Store, batch, experiments, keys, open_store, runs
from logbuch.store.runs import NewRun


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = open_store(f"sqlite:///{tmp_path}/logbuch.db")
    yield opened
    opened.close()


def log(store: Store, experiment: str, key: str) -> None:
    run_id = store.write(runs.create, NewRun(experiment_id=experiment)).info.run_id
    store.write(batch.log_batch, run_id, [Metric(key=key, value=1, timestamp=1)], [Param(key=f"p_{key}", value="1")])


def test_small_experiments_are_always_counted_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "QUICK_SECONDS", 1e9)  # on a busy machine nothing is quick
    experiment = store.write(experiments.create, "small")

    async def scenario() -> None:
        found = catalog.Catalog(reader(store))
        for count in (1, 2):
            log(store, experiment, "loss")
            assert [(use.key, use.runs) for use in (await found.of_experiments([experiment])).metrics] == [
                ("loss", count)
            ]

    asyncio.run(scenario())


def test_slow_ones_are_remembered_and_new_keys_are_added(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "QUICK_SECONDS", -1.0)
    monkeypatch.setattr(catalog, "LASTING", 1e9)
    experiment = store.write(experiments.create, "large")
    counted: list[Any] = []

    async def scenario() -> None:
        found = catalog.Catalog(reader(store, counted))
        log(store, experiment, "loss")
        assert [use.key for use in (await found.of_experiments([experiment])).metrics] == ["loss"]
        log(store, experiment, "fresh")
        answer = await found.of_experiments([experiment])
        assert [use.key for use in answer.metrics] == ["loss", "fresh"]
        assert [use.key for use in answer.params] == ["p_loss", "p_fresh"]
        assert counted.count(keys.of_experiments) == 1
        await asyncio.gather(*(found.of_experiments([experiment, "0"]) for _ in range(5)))
        assert counted.count(keys.of_experiments) == 2

    asyncio.run(scenario())


def reader(store: Store, counted: list[Any] | None = None) -> catalog.Read:
    async def read(function: Any, *arguments: Any) -> Any:
        if counted is not None:
            counted.append(function)
        return await asyncio.to_thread(store.read, function, *arguments)

    return read
