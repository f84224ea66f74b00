"""The rows of runs, as every write needs them: read by the driver itself, since it happens at each commit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from logbuch.store import schema

if TYPE_CHECKING:
    from logbuch.store.tx import Tx


class RunRow(NamedTuple):
    """A row of the table of runs; the fields are its columns."""

    id: int
    run_id: str
    experiment: int
    name: str
    user_id: str
    status: int
    start_time: int
    end_time: int | None
    deleted: bool
    deleted_time: int | None
    home: int | None
    """The experiment below which its artifacts lie, where the run was moved from there."""
    lost_time: int | None


_COLUMNS = ", ".join(RunRow._fields)
_MOST = 256


def fetch(tx: Tx, run_ids: Iterable[str]) -> dict[str, RunRow]:
    """The rows of those of these runs that exist, by run ID; the IDs must be texts that a database can hold."""
    wanted = list(run_ids)
    found: dict[str, RunRow] = {}
    for start in range(0, len(wanted), _MOST):
        part = wanted[start : start + _MOST]
        # Filled up to a power of two, so that few statements are ever compiled.
        size = 1 << (len(part) - 1).bit_length()
        values = (*part, *part[-1:] * (size - len(part)))
        query = f"SELECT {_COLUMNS} FROM {schema.runs.name} WHERE run_id IN ({tx.seam.driver.marks(size)})"  # noqa: S608
        found |= {row[1]: RunRow._make(row) for row in tx.seam.driver.fetch(tx.connection, query, values)}
    return found
