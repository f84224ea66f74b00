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

    def append(self, record: Record) -> bool:
        """Takes a record, from any thread; False if there is no place."""

    def read(self, limit: int) -> Sequence[Record]:
        """The oldest records, at most ``limit``; the same again until :meth:`keep` says which are still to be sent."""

    def keep(self, records: Sequence[Record]) -> None:
        """Of the records that were read last, these remain; the others are done."""

    def __len__(self) -> int: ...

    def unsent(self) -> int:
        """How many records wait, marks not counted. Only for the reader, or when it has stopped."""


class MemoryOutbox:
    """Holds at most ``limit`` records (about 200 bytes each); newer ones are dropped and counted."""

    def __init__(self, limit: int = 1_000_000) -> None:
        self.dropped = 0
        self._limit = limit
        self._waiting: deque[Record] = deque()  # append and popleft are atomic: no lock in the training's way
        self._read: list[Record] = []

    def append(self, record: Record) -> bool:
        # Calls and marks always fit: they are few, and without the end of a run it would look as if it still ran.
        if len(self._waiting) >= self._limit and record.kind not in (Kind.CALL, Kind.MARK):
            self.dropped += 1
            return False
        self._waiting.append(record)
        return True

    def read(self, limit: int) -> Sequence[Record]:
        while self._waiting and len(self._read) < limit:
            self._read.append(self._waiting.popleft())
        return self._read

    def keep(self, records: Sequence[Record]) -> None:
        self._read = list(records)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._read)

    def unsent(self) -> int:
        return sum(record.kind is not Kind.MARK for record in (*self._read, *self._waiting))
