"""PostgreSQL as administrators run it: roles with few rights, schemas, encodings, poolers, restarts and time-outs."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import text

from logbuch.errors import InvalidInput, StoreRefused, Unavailable
from logbuch.model import Metric, Param, Tag
from logbuch.store import Store, batch, experiments, open_store, runs, search, upkeep
from logbuch.store.metrics import history
from logbuch.store.postgres import ARRAY_ROWS
from logbuch.store.runs import NewRun
from logbuch.wire import ingest
from support.commits import CommitLoser
from support.journals import Journal
from support.pgbouncer import pgbouncer

PATIENCE = 30


def administer(uri: str, *statements: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def name_of(uri: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(uri)["dbname"])


def as_user(uri: str, user: str) -> str:
    return re.sub("//[^@]*@", f"//{user}@", uri)


@pytest.fixture
def role(postgres_uri: str) -> Iterator[str]:
    """A role that may connect, and nothing more."""
    made = f"user_{name_of(postgres_uri)}"
    administer(postgres_uri, f"CREATE ROLE {made} LOGIN", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield made
    administer(postgres_uri, f"DROP OWNED BY {made}", f"DROP ROLE {made}")


def log(store: Store, value: float = 1.0, run_id: str | None = None, step: int = 1) -> str:
    """A point, a param and a tag, of a new run or of this one."""
    if run_id is None:
        run_id = store.write(runs.create, NewRun(experiment_id="0")).info.run_id
    point = Metric(key="m", value=value, timestamp=step, step=step)
    store.write(batch.log_batch, run_id, [point], [Param(key="p", value="1")], [Tag(key="t", value="x")])
    return run_id


def found(store: Store, filter_: str = "metrics.m > 0 AND params.p = '1'", order: str = "tags.t") -> list[str]:
    rows, _ = store.read(search.page, search.RunQuery(["0"], filter_, [order]), 100)
    return [row.run_id for row in rows]


def backends(uri: str) -> int:
    """Ends every connection of Logbuch's to a database; how many there were."""
    with psycopg.connect(uri, autocommit=True) as connection:
        query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'logbuch'"
        row = connection.execute(f"{query} AND datname = current_database()").fetchone()
    assert row is not None
    return int(row[0])


# -- rights, schemas, encodings ---------------------------------------------------------------------------------------


def test_without_the_right_to_create_tables_it_is_refused_in_one_line(postgres_uri: str, role: str) -> None:
    with pytest.raises(StoreRefused, match="permission denied for schema public") as refused:
        open_store(as_user(postgres_uri, role))
    assert "\n" not in refused.value.message


def test_a_role_without_ownership_works_once_the_tables_are_there(postgres_uri: str, role: str) -> None:
    open_store(postgres_uri).close()
    rights = ("SELECT, INSERT, UPDATE, DELETE ON ALL TABLES", "USAGE, SELECT, UPDATE ON ALL SEQUENCES")
    administer(postgres_uri, *(f"GRANT {right} IN SCHEMA public TO {role}" for right in rights))
    store = open_store(as_user(postgres_uri, role))
    run_id = log(store)
    assert found(store) == [run_id]
    store.close()


def test_tables_stand_in_the_schema_that_the_address_names(postgres_uri: str) -> None:
    administer(postgres_uri, "CREATE SCHEMA tracking", "CREATE SCHEMA other")
    places = [f"{postgres_uri}&options={quote(f'-c search_path={name}')}" for name in ("tracking", "other")]
    stores = [open_store(place) for place in places]
    ids = [log(store) for store in stores]
    assert [found(store) for store in stores] == [[id_] for id_ in ids]
    assert stores[0].id != stores[1].id
    with psycopg.connect(places[0].replace("+", "%20"), autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        rows = connection.execute("SELECT schemaname, count(*) FROM pg_tables GROUP BY 1").fetchall()
        assert dict(rows).keys() >= {"tracking", "other"} and "public" not in dict(rows)
        assert upkeep.look(connection) == []
    for store in stores:
        store.close()
    again = open_store(places[0])
    assert found(again) == ids[:1]
    again.close()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_text_is_refused_in_one_line(postgres_uri: str, encoding: str) -> None:
    name = f"{name_of(postgres_uri)}_{encoding.lower()}"
    administer(postgres_uri, f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreRefused, match=f"as {encoding}; Logbuch needs UTF8") as refused:
        open_store(postgres_uri.replace(f"/{name_of(postgres_uri)}?", f"/{name}?"))
    assert "\n" not in refused.value.message


TEXTS = ["", "A", "B", "Z", "_", "a", "b", "z", "zz", "\x7f", "ä", "ö", "Ω", "\ue000", "Ａ", "🙂"]


def test_texts_sort_by_code_points_whatever_the_databases_locale(store: Store) -> None:
    for value in reversed(TEXTS):
        run_id = store.write(runs.create, NewRun(experiment_id="0", run_name=f"n{value}")).info.run_id
        store.write(batch.log_batch, run_id, [], [Param(key="p", value=value)], [Tag(key="t", value=value)])
    for order in ("params.p", "tags.t", "run_name"):
        for way, expected in (("ASC", TEXTS), ("DESC", TEXTS[::-1])):
            ids = found(store, "", f"{order} {way}")
            values = [store.read(runs.get, id_).data.params["p"] for id_ in ids]
            assert values == expected, (order, way)


def test_a_null_character_is_the_clients_fault(store: Store) -> None:
    run_id = log(store)
    for wrong in (
        lambda: store.write(batch.log_batch, run_id, [], [Param(key="q", value="a\0b")]),
        lambda: store.write(batch.log_batch, run_id, [], [], [Tag(key="q\0", value="a")]),
        lambda: store.write(runs.create, NewRun(experiment_id="0", run_name="a\0b")),
        lambda: store.write(experiments.create, "a\0b"),
        lambda: found(store, "params.p = 'a\0b'"),
    ):
        with pytest.raises(InvalidInput):
            wrong()
    assert found(store) == [run_id]


def test_points_of_many_runs_in_one_commit_come_back_bit_for_bit(store: Store) -> None:
    journal, run_ids = Journal(), [uuid.uuid4().hex for _ in range(4 * ARRAY_ROWS)]
    values = {run_id: [number / 7, -number, 2.0**-number] for number, run_id in enumerate(run_ids)}
    for run_id in run_ids:
        gathered = ingest.Points(run_id)
        for step, value in enumerate(values[run_id]):
            gathered.add("m", step, 1_700_000_000_000 + step, value)
        journal.add(ingest.NewRun(run_id, "", "0"), gathered.record())
    assert journal.send(store).refused == []
    for run_id in run_ids:
        assert store.read(history.page, run_id, "m", None)[0].values.tolist() == values[run_id]


def test_several_hosts_are_told_as_the_driver_takes_them(postgres_uri: str) -> None:
    with pytest.raises(StoreRefused, match="no database URI") as refused:
        open_store("postgresql://me@one:5432,two:5432/name")
    assert "\n" not in refused.value.message


# -- connections that go away ------------------------------------------------------------------------------------------


def test_ended_connections_are_replaced_without_a_word(postgres_uri: str) -> None:
    store = open_store(postgres_uri)
    run_id = log(store)
    for step in range(2, 5):
        assert backends(postgres_uri) >= 1
        assert found(store) == [run_id]
        assert backends(postgres_uri) >= 1
        log(store, run_id=run_id, step=step)
    assert store.read(history.page, run_id, "m", None)[0].steps.tolist() == [1, 2, 3, 4]
    store.close()


def test_time_limits_of_the_administrator_are_answered_and_outlived(postgres_uri: str) -> None:
    store = open_store(postgres_uri)
    run_id = log(store)
    name = name_of(postgres_uri)
    administer(postgres_uri, f"ALTER DATABASE {name} SET statement_timeout = '1500ms'")
    backends(postgres_uri)
    with psycopg.connect(postgres_uri) as other:
        other.execute("LOCK TABLE params IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Unavailable, match="statement timeout"):
            found(store)
        with pytest.raises(Unavailable, match="statement timeout"):
            store.write(batch.log_batch, run_id, [], [Param(key="q", value="1")])
    assert found(store) == [run_id]
    log(store, run_id=run_id, step=2)
    administer(postgres_uri, f"ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '1s'")
    backends(postgres_uri)

    def slow(tx: Any) -> int:
        tx.execute(text("SELECT 1"))
        threading.Event().wait(2.5)
        return int(tx.execute(text("SELECT 1")).scalar())

    with pytest.raises(Unavailable):
        store.read(slow)
    assert found(store) == [run_id]
    store.close()


def test_a_server_without_room_for_more_connections_says_so(postgres_uri: str, role: str) -> None:
    administer(postgres_uri, f"GRANT CREATE ON SCHEMA public TO {role}")
    store = open_store(as_user(postgres_uri, role), seal=False)
    run_id = log(store)
    held = psycopg.connect(as_user(postgres_uri, role))
    administer(postgres_uri, f"ALTER ROLE {role} CONNECTION LIMIT 1")
    backends(postgres_uri)
    for call in (lambda: found(store), lambda: log(store, run_id=run_id, step=2)):
        with pytest.raises(Unavailable, match="too many connections"):
            call()
    held.close()
    administer(postgres_uri, f"ALTER ROLE {role} CONNECTION LIMIT 20")
    log(store, run_id=run_id, step=2)
    assert found(store) == [run_id]
    store.close()


def test_a_server_that_has_become_a_standby_is_left_for_the_new_one(postgres_uri: str) -> None:
    store = open_store(postgres_uri)
    run_id = log(store)
    with store._seam.writer.connect() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = on")  # as if it had been demoted
        connection.commit()
    before = writers(store)
    log(store, run_id=run_id, step=2)
    assert writers(store) != before
    assert store.read(history.page, run_id, "m", None)[0].steps.tolist() == [1, 2]
    store.close()


def writers(store: Store) -> int:
    with store._seam.writer.connect() as connection:
        return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def test_a_commit_whose_answer_was_lost_is_not_made_twice(postgres_uri: str) -> None:
    """Nobody knows whether it was done: a journal may send again, and what bears no number is not tried again."""
    with CommitLoser(postgres_uri) as proxy:
        store = open_store(proxy.uri, seal=False)
        run_id, journal = uuid.uuid4().hex, Journal()
        gathered = ingest.Points(run_id)
        gathered.add("m", 1, 1, 0.5)
        new = ingest.NewRun(run_id, "", "0")
        journal.add(new, ingest.Params(run_id, [("p", "1")]), gathered.record(), ingest.Tags(run_id, [("t", "x")]))
        proxy.arm()
        with pytest.raises(Unavailable):
            journal.send(store)
        receipt = journal.send(store)
        assert (receipt.sequence, receipt.refused) == (4, [])
        proxy.arm()
        with pytest.raises(Unavailable):
            store.write(runs.create, NewRun(experiment_id="0", run_name="once"))
        assert proxy.lost == 2
        assert found(store) == [run_id]
        assert store.read(history.page, run_id, "m", None)[0].steps.tolist() == [1]
        assert len(found(store, "run_name = 'once'")) == 1
        store.close()


# -- a pooler ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pooled_uri(postgres_uri: str) -> Iterator[str]:
    with pgbouncer(postgres_uri) as uri:
        yield uri


@pytest.mark.slow
def test_a_pooler_of_transactions_serves_two_replicas(pooled_uri: str) -> None:
    """Each transaction meets another session: nothing that was prepared or set in the last one is there."""
    stores = [open_store(pooled_uri), open_store(pooled_uri)]
    changed = threading.Event()
    with stores[0].watch(changed.set):
        run_ids = [log(stores[0], run_id=None) for _ in range(3)]
        threads = [threading.Thread(target=_hammer, args=(store, run_ids)) for store in stores for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        changed.clear()
        log(stores[1], run_id=run_ids[0], step=1000)
        assert changed.wait(PATIENCE)
    assert sorted(found(stores[1])) == sorted(run_ids)
    for run_id in run_ids:
        steps = stores[0].read(history.page, run_id, "m", None)[0].steps.tolist()
        assert steps == [*range(1, 21), *([1000] if run_id == run_ids[0] else [])]
    work_mem = stores[0].read(lambda tx: tx.execute(text("SHOW work_mem")).scalar())
    assert work_mem == "16MB"
    for store in stores:
        store.close()


def _hammer(store: Store, run_ids: Sequence[str]) -> None:
    for step in range(1, 21):
        for run_id in run_ids:
            log(store, run_id=run_id, step=step)
        found(store)
