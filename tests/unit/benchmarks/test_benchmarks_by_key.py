"""The limit of a search is measured on the rows of Logbuch's own database, of either kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import by_key

from logbuch.model import Metric, Param
from logbuch.store import batch, open_store, runs
from logbuch.store.runs import NewRun


def test_rows_are_fetched_by_primary_key(store_uri: str) -> None:
    store = open_store(store_uri)
    run_ids = [store.write(runs.create, NewRun(experiment_id="0")).info.run_id for _ in range(3)]
    point = Metric(key="m", value=1, timestamp=1, step=1)
    store.write(batch.log_batch, run_ids[0], [point], [Param(key="p", value="1")])
    database = Path(store_uri.removeprefix("sqlite:///")) if store_uri.startswith("sqlite") else store_uri
    spent = by_key.seconds(database, run_ids, 4)
    assert len(spent) == 4 and min(spent) > 0
    with pytest.raises(AssertionError):
        by_key.seconds(database, [*run_ids, "0" * 32], 1)
    store.close()
