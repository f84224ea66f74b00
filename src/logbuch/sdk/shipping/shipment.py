"""A journal on its way to a store, by the native ingest protocol: handshake, batches, verdicts.

The store knows how far it has taken a journal. Whatever happened to an answer, to the server or to the folder, both
compare that place and the chain there, and go on from it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

import msgspec

from logbuch.errors import (
    BY_CODE,
    BadRequest,
    InvalidInput,
    JournalOutOfStep,
    LogbuchError,
    NotFound,
    TooLarge,
    Unavailable,
)
from logbuch.sdk.backends.backend import Backend, Refused, Standing
from logbuch.sdk.journal.course import Batch, Course
from logbuch.sdk.journal.note import State

_KEEP_SECONDS = 1.0
_UNREADABLE = b"\xc0"
"""What is sent for a record that spoils its batch: the server sets it aside."""


class _Subject(msgspec.Struct, array_like=True):
    """The beginning of every record."""

    kind: str


_subject = msgspec.msgpack.Decoder(_Subject)


class Clerk(Protocol):
    """Who is told of verdicts."""

    def taken(self, last: int, count: int) -> None:
        """Entries up to ``last`` were dealt with; ``count`` of those that somebody logged were taken."""

    def refused(self, run_id: str | None, count: int, what: str, error: LogbuchError) -> None:
        """So many entries were set aside."""


class Shipment:
    """Sends one journal. ``save`` keeps the state when it has changed; ``waits`` says whether runs that another journal
    makes are worth waiting for."""

    def __init__(
        self,
        backend: Backend,
        journal: str,
        course: Course,
        state: State,
        save: Callable[[State], None],
        clerk: Clerk,
        waits: Callable[[], bool] = lambda: False,
    ) -> None:
        self.state = state
        self._waits = waits
        self._backend, self._journal, self._course = backend, journal, course
        self._save, self._clerk = save, clerk
        self._greeted = False
        self._kept = -_KEEP_SECONDS
        self._spoilt: dict[int, LogbuchError] = {}

    def step(self) -> bool:
        """Sends the next batch; False if nothing is left. Errors of the backend mean that nothing was sent now."""
        if not self._greeted:
            self.greet()
        batch = self._course.next()
        if batch is None:
            return False
        self._look_for_runs()
        first = batch.first - self.state.offset
        try:
            standing = self._backend.ingest(self._name, first, self._before(batch), self._entries(batch))
        except JournalOutOfStep:
            self._greeted = False
            return True
        except (BadRequest, InvalidInput, TooLarge) as error:
            self._look_into(batch, error)
            return True
        self._judge(batch, standing)
        return True

    def greet(self) -> None:
        """Asks where the store stands, and goes on from there."""
        acknowledged = max(0, self._course.number - self.state.offset)
        store_id, (standing,) = self._backend.greet([(self._name, acknowledged)])
        self.state.store_id = store_id
        number = standing.sequence + self.state.offset
        here = (number, standing.chain) == (self._course.number, self._before_next().hex())
        if not here and not self._course.seek(number, self._known(standing)):
            self._begin_anew()
        elif not here:
            for refused in standing.refused:
                self._clerk.refused(refused.run_id, 1, "a record", _error(refused))
        self._greeted = True
        self._kept = -_KEEP_SECONDS
        self._note()

    def part_ways(self, alias: str) -> None:
        """What is left goes by another ID: an undamaged copy of the journal keeps its own, and can bring the rest."""
        if self.state.alias != alias:
            self.state.rename(alias, self._course.number)
            self._greeted = False
            self._save(self.state)

    # ------------------------------------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return self.state.names(self._journal)[-1]

    def _look_for_runs(self) -> None:
        """What is logged to a run must not come before the run itself, which another process has begun."""
        for run_id in tuple(self.state.needs):
            try:
                self._backend.get_run(run_id)
            except NotFound as error:
                if self._waits():
                    raise Unavailable(
                        f"{error.message}: it was begun by another process, and has not arrived"
                    ) from None
            self.state.needs.remove(run_id)
            self._save(self.state)

    def _before_next(self) -> bytes:
        return b"" if self._course.number == self.state.offset else self._course.chain

    def _known(self, standing: Standing) -> bytes | None:
        """The chain to compare; before a first entry there is none."""
        return None if standing.sequence == 0 else bytes.fromhex(standing.chain)

    def _before(self, batch: Batch) -> bytes:
        return b"" if batch.first == self.state.offset + 1 else batch.before

    def _begin_anew(self) -> None:
        """Another journal goes by this one's ID, or the store lacks entries that are not held any more: what is held
        is sent under a new ID."""
        held = self._course.first_held()
        self.state.rename(uuid.uuid4().hex, held - 1 if held is not None else self._course.number)
        self._course.seek(self.state.offset, None)

    def _entries(self, batch: Batch) -> list[tuple[int, bytes, bytes]]:
        entries = batch.entries()
        if not self._spoilt:
            return entries
        return [
            (span, chain, _UNREADABLE if item.last in self._spoilt else raw)
            for (span, chain, raw), item in zip(entries, batch.items, strict=True)
        ]

    def _look_into(self, batch: Batch, error: LogbuchError) -> None:
        """The batch as a whole is no good: it is cut down until one record is left, which is then set aside."""
        if batch.last in self._spoilt:
            raise error
        half = _half(batch)
        if half < len(batch.items):
            self._course.shorten(batch, half)
        else:
            self._spoilt |= dict.fromkeys((item.last for item in batch.items), error)

    def _judge(self, batch: Batch, standing: Standing) -> None:
        refused = {one.sequence + self.state.offset: one for one in standing.refused}
        taken = 0
        for item in batch.items:
            found = refused.get(item.last)
            if found is None:
                taken += item.counts
                continue
            error = self._spoilt.pop(item.last, None) or _error(found)
            if not (self.state.alias and found.error_code == "RESOURCE_ALREADY_EXISTS"):
                self._clerk.refused(found.run_id, max(item.counts, 1), _kind(item.raw), error)
        self._course.accept(batch)
        self._note()
        self._clerk.taken(batch.last, taken)

    def _note(self) -> None:
        """How far it is. That is kept once a second at most, for the store knows it too."""
        self.state.number, self.state.chain = self._course.number, self._course.chain.hex()
        if time.monotonic() - self._kept >= _KEEP_SECONDS:
            self._save(self.state)
            self._kept = time.monotonic()


def _half(batch: Batch) -> int:
    """Where to cut, between records that end at different places; behind the last if that cannot be."""
    cuts = [at for at, (left, right) in enumerate(pairwise(batch.items), start=1) if left.end != right.end]
    return cuts[len(cuts) // 2] if cuts else len(batch.items)


def _kind(raw: bytes) -> str:
    """What a record is, for a message."""
    try:
        return _subject.decode(raw).kind
    except msgspec.MsgspecError:
        return "a record"


def _error(refused: Refused) -> LogbuchError:
    return BY_CODE.get(refused.error_code, LogbuchError)(refused.message)
