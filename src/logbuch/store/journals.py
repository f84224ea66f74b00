"""The journals of clients: how far each has been taken, and what of it was refused.

A journal's entries are numbered from 1. The number of the last one that was taken moves in the transaction that applies
them, so a batch that is sent again changes nothing. Each position has a chain value, which depends on all entries up to
it: a copy of a journal that has gone its own way does not pass for the original.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.exc import DataError, SQLAlchemyError

from logbuch import limits
from logbuch.errors import InvalidInput, JournalDiverged, JournalOutOfStep, LogbuchError
from logbuch.model import Noun
from logbuch.store import schema
from logbuch.store.ledger import Ledger
from logbuch.store.tx import Tx, beside_latest, chunks

logger = logging.getLogger("logbuch.store")
MESSAGE_LENGTH = 1000
RUN_ID_LENGTH = 256
KEPT_MS = 90 * 86_400_000
"""For so long the place of a journal is remembered that does not move; clients keep theirs for seven days."""
PRUNED_AT_ONCE = 2000
_journals, _refusals = schema.journals, schema.refusals
_POSITION = f"SELECT sequence, chain FROM {_journals.name} WHERE journal = %s"  # noqa: S608
_refuse = _refusals.insert()
_COLUMNS = ("journal", "sequence", "run_id", "error_code", "message", "time")


class Record(Protocol):
    """A record of a journal, which stands for its entries ``first`` to ``last``; ``chain`` is the one behind them."""

    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...
    @property
    def chain(self) -> str: ...
    @property
    def run_id(self) -> str | None: ...
    @property
    def perform(self) -> Callable[[Ledger], None]: ...


class Batch(Protocol):
    """Records of one journal in their order, one at least; ``before`` is the chain before the first.

    ``locks`` names all that is written: runs by their IDs, anything else by texts that are none.
    """

    @property
    def journal(self) -> str: ...
    @property
    def before(self) -> str: ...
    @property
    def entries(self) -> Sequence[Record]: ...
    @property
    def locks(self) -> set[str]: ...


class Refusal(Noun, frozen=True, kw_only=True):
    """A record that was set aside; ``sequence`` is that of its last entry, ``time`` when it was refused (ms)."""

    journal: str
    sequence: int
    run_id: str | None
    error_code: str
    message: str
    time: int


class Position(Noun, frozen=True, kw_only=True):
    """Where a journal stands: all up to entry ``sequence`` was taken or refused; 0 and ``""`` if nothing was."""

    sequence: int
    chain: str


class Receipt(Position, frozen=True, kw_only=True):
    """The outcome of a batch: of its records up to ``sequence``, these were refused and all others taken."""

    refused: Sequence[Refusal] = ()


class Refusals(Noun, frozen=True, kw_only=True):
    """The last refusals of a run, the newest first, and how many there are in all."""

    total: int
    refusals: Sequence[Refusal]


def ingest(tx: Tx, batch: Batch) -> Receipt:
    """Applies the records of a batch that are new, each by itself. Those that were taken before get the same verdict
    again. Raises JournalOutOfStep and JournalDiverged, and then has changed nothing."""
    known = position(tx, batch.journal)
    fresh = _fresh(batch, known)
    seen = len(batch.entries) - len(fresh)
    refused = _between(tx, batch.journal, batch.entries[0].last, batch.entries[seen - 1].last) if seen else []
    if not fresh:
        return Receipt(sequence=known.sequence, chain=known.chain, refused=refused)
    ledger, last = Ledger(tx, batch.journal), fresh[-1]
    verdicts = [_enter(tx, ledger, batch.journal, record) for record in fresh]
    failed = [verdict for verdict in verdicts if verdict is not None]
    row = {"journal": batch.journal, "sequence": last.last, "chain": last.chain, "last_update_time": tx.now()}
    tx.insert(tx.seam.upsert(_journals, _moved), [row])
    tx.insert_rows(_refuse, _COLUMNS, [tuple(getattr(one, name) for name in _COLUMNS) for one in failed])
    return Receipt(sequence=last.last, chain=last.chain, refused=[*refused, *failed])


@beside_latest
def position(tx: Tx, journal: str) -> Position:
    """Where a journal stands."""
    driver = tx.seam.driver
    found = driver.fetch(tx.connection, _POSITION % driver.marks(1), (journal,))
    return Position(sequence=found[0][0], chain=found[0][1]) if found else Position(sequence=0, chain="")


@beside_latest
def old(tx: Tx) -> list[str]:
    """Some of the journals that were finished long ago, and of which nothing was refused."""
    stands = select(_refusals.c.journal).where(_refusals.c.journal == _journals.c.journal).exists()
    query = select(_journals.c.journal).where(_journals.c.last_update_time < tx.now() - KEPT_MS, ~stands)
    return list(tx.execute(query.limit(PRUNED_AT_ONCE)).scalars())


def prune(tx: Tx, found: Sequence[str]) -> None:
    """Forgets where these journals stand, unless they have moved again.

    If somebody still has one and sends it again, its points vanish as duplicates and its params are no conflict.
    """
    for part in chunks(found):
        long_ago = _journals.c.last_update_time < tx.now() - KEPT_MS
        tx.change(delete(_journals).where(_journals.c.journal.in_(part), long_ago))


@beside_latest
def refusals_after(tx: Tx, journal: str, sequence: int, limit: int) -> list[Refusal]:
    """The first refusals of a journal after an entry."""
    condition = (_refusals.c.journal == journal) & (_refusals.c.sequence > sequence)
    return _found(tx, condition, (_refusals.c.sequence,), limit)


@beside_latest
def refusals_of_run(tx: Tx, run_id: str) -> Refusals:
    """The refused records that named a run, which need not exist; at most ``limits.REFUSALS_PER_PAGE``."""
    if not limits.is_storable(run_id):
        return Refusals(total=0, refusals=[])
    condition = _refusals.c.run_id == run_id
    total = int(tx.execute(select(func.count()).where(condition)).scalar_one())
    order = (_refusals.c.time.desc(), _refusals.c.journal, _refusals.c.sequence.desc())
    return Refusals(total=total, refusals=_found(tx, condition, order, limits.REFUSALS_PER_PAGE))


def _fresh(batch: Batch, known: Position) -> Sequence[Record]:
    """The records behind the journal's position, once its chain there is found to be the batch's."""
    places = {record.last: (number, record.chain) for number, record in enumerate(batch.entries, start=1)}
    places[batch.entries[0].first - 1] = (0, batch.before)
    if known.sequence not in places:
        raise JournalOutOfStep(
            f"Entry {known.sequence + 1} of journal {batch.journal} is expected next; no record of the batch begins or "
            f"ends there (entries {batch.entries[0].first} to {batch.entries[-1].last}).",
            sequence=known.sequence,
            chain=known.chain,
        )
    number, chain = places[known.sequence]
    if chain != known.chain:
        raise JournalDiverged(
            f"Another journal is known as {batch.journal}: up to entry {known.sequence} it differs from this one.",
            sequence=known.sequence,
            chain=known.chain,
        )
    return batch.entries[number:]


def _enter(tx: Tx, ledger: Ledger, journal: str, record: Record) -> Refusal | None:
    """Applies one record, or takes back what it did and says why."""
    error: LogbuchError
    try:
        with tx.part():
            record.perform(ledger)
        return None
    except LogbuchError as problem:
        error = problem
    except DataError as problem:
        error = InvalidInput(f"The database cannot hold a value of the record: {str(problem.orig).strip()}")
    except (SQLAlchemyError, MemoryError):
        raise  # not the record's fault: the batch comes again
    except Exception:  # a mistake of ours must not hold up all that stands behind the record, for ever
        logger.exception("entry %d of journal %s cannot be applied", record.last, journal)
        error = LogbuchError("The server failed to apply the record; its log says why.")
    return Refusal(
        journal=journal,
        sequence=record.last,
        run_id=_known_as(record.run_id),
        error_code=error.error_code,
        message=_storable(error.message),
        time=tx.now(),
    )


def _known_as(run_id: str | None) -> str | None:
    fits = run_id is not None and len(run_id) <= RUN_ID_LENGTH and limits.is_storable(run_id)
    return run_id if fits else None


def _storable(message: str) -> str:
    whole = message.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
    return limits.clip(whole, MESSAGE_LENGTH)


def _between(tx: Tx, journal: str, first: int, last: int) -> list[Refusal]:
    condition = (_refusals.c.journal == journal) & _refusals.c.sequence.between(first, last)
    return _found(tx, condition, (_refusals.c.sequence,), limits.INGEST_RECORDS)


def _found(tx: Tx, condition: ColumnElement[bool], order: Sequence[Any], limit: int) -> list[Refusal]:
    query = select(_refusals).where(condition).order_by(*order).limit(limit)
    return [Refusal(**row) for row in tx.execute(query).mappings()]


def _moved(new: Any) -> Mapping[str, Any]:
    return {"sequence": new.sequence, "chain": new.chain, "last_update_time": new.last_update_time}
