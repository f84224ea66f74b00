"""Which run a call is meant for, and what it returns."""

from __future__ import annotations

from logbuch.sdk import stack
from logbuch.sdk.client import LogbuchClient
from logbuch.sdk.connection import Connection, connect
from logbuch.sdk.shipping.delivery import Files
from logbuch.sdk.starting import start_run
from logbuch.sdk.waiting import RunOperations, done
from logbuch.sdk.writer import RunWriter


def target(run_id: str | None) -> tuple[Connection, RunWriter]:
    """Connection and writer of a run; of the active one by default, which is started if there is none."""
    if run_id is not None:
        connection = connect()
        return connection, connection.writer(run_id)
    if stack.top() is None:
        start_run()
    found = stack.top()
    assert found is not None
    return found.attached()


def client_of(run_id: str | None) -> tuple[LogbuchClient, str]:
    connection, writer = target(run_id)
    return LogbuchClient(connection.key), writer.run_id


def operations(connection: Connection, synchronous: bool | None, kept: Files = Files.NONE) -> RunOperations | None:
    if synchronous is None:
        return None
    operations = done(connection, synchronous, kept)
    return None if synchronous else operations
