"""Where records wait for the sender: one small interface, in memory in this version."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol


class Kind(Enum):
    """What a record is. The first three travel in batches, the others alone and in order."""

    METRIC = 1  # key, value, timestamp, step
    PARAM = 2  # key, value
    TAG = 3  # key, value
    CALL = 4  # a Call
    MARK = 5  # a callable that wants to know when all before it is done


class Record(NamedTuple):
    """One thing to be sent about a run. ``body`` depends on the kind."""

    kind: Kind
    run_id: str
    body: tuple[Any, ...]


class Outbox(Protocol):
    """A queue with one reader. What was read stays here until it is released."""

    dropped: int
    """How many records found no place."""
    why_full: str
    """Why there may be no place for a record."""

    def append(self, record: Record) -> bool:
        """Takes a record, from any thread; False if there is no place."""

    def read(self, limit: int) -> Sequence[Record]:
        """The oldest records, at most ``limit``; the same again until :meth:`keep` says which are still to be sent."""

    def keep(self, records: Sequence[Record]) -> None:
        """Of the records that were read last, these remain; the others are done."""

    def __len__(self) -> int: ...

    def unsent(self) -> int:
        """How many records wait, marks not counted. Only for the reader, or when it has stopped."""


RECORD_BYTES = 250
"""About what a record takes in memory, besides its key and its text."""


def weight(record: Record) -> int:
    """An estimate of the memory that a record takes, in bytes. The end of a run and marks weigh nothing."""
    kind, body = record.kind, record.body
    if kind is Kind.METRIC:
        return RECORD_BYTES + len(body[0])
    if kind is Kind.CALL:
        return int(body[0].weight())
    return 0 if kind is Kind.MARK else RECORD_BYTES + len(body[0]) + len(body[1])


class MemoryOutbox:
    """Holds at most ``limit`` records of together about ``limit_bytes``; newer ones are dropped and counted."""

    why_full = "too many records wait to be sent"

    def __init__(self, limit: int = 1_000_000, limit_bytes: int = 256 * 1024 * 1024) -> None:
        self.dropped = 0
        self._limit, self._limit_bytes = limit, limit_bytes
        # Without a lock, which would stand in the training's way, this may drift: an empty queue sets it right.
        self._bytes = 0
        self._waiting: deque[Record] = deque()  # append and popleft are atomic: no lock in the training's way
        self._read: list[Record] = []

    def append(self, record: Record) -> bool:
        size = weight(record)
        # What weighs nothing always fits: without the end of a run it would look as if it still ran.
        if size and (len(self._waiting) >= self._limit or self._bytes + size > self._limit_bytes):
            self.dropped += 1
            return False
        self._bytes += size
        self._waiting.append(record)
        return True

    def read(self, limit: int) -> Sequence[Record]:
        while self._waiting and len(self._read) < limit:
            self._read.append(self._waiting.popleft())
        return self._read

    def keep(self, records: Sequence[Record]) -> None:
        kept = list(records)
        self._bytes -= sum(map(weight, self._read)) - sum(map(weight, kept))
        self._read = kept
        if not kept and not self._waiting:
            self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._read)

    def unsent(self) -> int:
        return sum(record.kind is not Kind.MARK for record in (*self._read, *self._waiting))


class NoOutbox:
    """Takes nothing, in a process that cannot send anything."""

    def __init__(self, why: str) -> None:
        self.dropped = 0
        self.why_full = why

    def append(self, record: Record) -> bool:
        self.dropped += record.kind is not Kind.MARK
        return False

    def read(self, limit: int) -> Sequence[Record]:  # noqa: ARG002
        return ()

    def keep(self, records: Sequence[Record]) -> None:
        """There is nothing to keep."""

    def __len__(self) -> int:
        return 0

    def unsent(self) -> int:
        return 0
