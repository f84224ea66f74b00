"""What was logged under every earlier schema is there, and found, under the newest; on both databases."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, MetaData, create_engine, select, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import SAWarning

from logbuch.model import Metric, Param
from logbuch.store import Store, batch, check, migrate, open_store, runs, schema, search
from logbuch.store.metrics import history, ordinal
from logbuch.store.metrics.points import Series, pack_arrival
from logbuch.store.migrations import HEAD, REVISIONS, VERSION_TABLE
from logbuch.store.runs import NAME_TAG, NewRun

# Their inner ids are those that a fresh database gives them.
NAMES = {NAME_TAG: 1, "lr": 2, "team": 3, "note": 4, "loss": 5}
LONG = "x" * 3000
EARLIER = REVISIONS[:-1]


def run_id(revision: str) -> str:
    return f"{int(revision):032x}"


def connect(uri: str) -> Engine:
    url = make_url(uri)
    return create_engine(url if url.drivername == "sqlite" else url.set(drivername="postgresql+psycopg"))


def log(connection: Connection, revision: str) -> None:
    """A finished run, as a server of that revision writes it: two params, tags, and two points, merged."""
    there = MetaData()
    with warnings.catch_warnings(action="ignore", category=SAWarning):  # of an index on an expression
        there.reflect(connection)

    def insert(table: str, **values: Any) -> None:
        columns = there.tables[table].c  # it may lack columns of today
        connection.execute(there.tables[table].insert(), {name: values[name] for name in values if name in columns})

    number, name = int(revision), f"run of {revision}"
    if revision == REVISIONS[0]:
        times = {"creation_time": 1, "last_update_time": 1}
        insert("experiments", name="old", artifact_location="", deleted=False, **times)
        for key in NAMES:
            insert("names", name=key)
    head = {"name": name, "user_id": "ada", "status": 3, "deleted": False, "start_time": number, "end_time": 99}
    insert("runs", run_id=run_id(revision), experiment=1, **head)
    insert("params", run=number, key=NAMES["lr"], value=f"{number}e-1", number=ordinal.encode(number / 10))
    insert("params", run=number, key=NAMES["note"], value=LONG + revision, number=None)
    for key, value in ((NAME_TAG, name), ("team", f"team {number % 2}"), ("note", LONG)):
        insert("tags", run=number, key=NAMES[key], value=value)
    points = Series(np.array([1, 2]), np.array([10, 20]), np.array([float(number), -float(number)]))
    insert("arrivals", run=number, points=2, data=pack_arrival(np.full(2, NAMES["loss"]), points))
    low, high = ordinal.encode(-float(number)), ordinal.encode(float(number))
    place = {"run": number, "key": NAMES["loss"], "experiment": 1, "step": 2, "timestamp": 20, "value": low}
    insert("latest", **place, min=low, min_step=2, max=high, max_step=1)
    insert("changes", run=number, experiment=1, version=number)


@pytest.fixture
def migrated(store_uri: str) -> Iterator[Store]:
    """A database that was brought from each revision to the next with a run of each, and is opened by this version."""
    engine = connect(store_uri)
    with engine.begin() as connection:
        for revision in EARLIER:
            migrate.upgrade(connection, revision)
            log(connection, revision)
    engine.dispose()
    opened = open_store(store_uri, seal=False)
    yield opened
    opened.close()


def found(store: Store, filter_: str = "", order: str = "start_time") -> list[str]:
    rows, _ = store.read(search.page, search.RunQuery(["1"], filter_, [order], by_size=True), 100)
    return [row.run_id for row in rows]


def test_what_every_revision_logged_is_found_in_the_newest(migrated: Store) -> None:
    everything = [run_id(revision) for revision in EARLIER]
    assert found(migrated) == everything
    for order in (
        "params.lr",
        "metrics.loss DESC",
        "min(metrics.loss) DESC",
        "params.note",
        "run_name",
        "tags.`mlflow.runName`",
    ):
        assert found(migrated, order=order) == everything, order
    odd = [run_id(revision) for revision in EARLIER if int(revision) % 2]
    for filter_ in ("tags.team = 'team 1'", "tags.team LIKE '%1'"):
        assert found(migrated, filter_) == odd
    assert found(migrated, "params.lr < 0.35 AND metrics.loss > -2.5") == everything[:2]
    assert found(migrated, f"params.note = '{LONG}0003'") == everything[2:3]
    assert found(migrated, "run_name ILIKE 'RUN OF 0004'") == everything[3:4]


def test_what_every_revision_logged_is_read_whole_and_goes_on(migrated: Store) -> None:
    for revision in EARLIER:
        number, id_ = int(revision), run_id(revision)
        whole = migrated.read(runs.get, id_)
        assert whole.info.run_name == f"run of {revision}"
        assert whole.data.params == {"lr": f"{number}e-1", "note": LONG + revision}
        assert whole.data.metrics == {"loss": -float(number)}
        points, _ = migrated.read(history.page, id_, "loss", None)
        assert points.values.tolist() == [float(number), -float(number)]
        migrated.write(
            batch.log_batch, id_, [Metric(key="loss", value=0.5, timestamp=30, step=3)], [Param(key="new", value="1")]
        )
    assert found(migrated, "metrics.loss = 0.5 AND params.new = '1'") == [run_id(revision) for revision in EARLIER]
    fresh = migrated.write(runs.create, NewRun(experiment_id="1")).info.run_id
    assert migrated.read(runs.row, fresh).id > len(EARLIER)
    assert migrated.read(check.integrity) == migrated.read(check.orphans) == []
    query = f"SELECT version_num FROM {VERSION_TABLE}"
    assert migrated.read(lambda tx: tx.execute(text(query)).scalar()) == HEAD
    assert migrated.read(lambda tx: tx.execute(select(schema.meta.c.value)).scalar()) == migrated.id
