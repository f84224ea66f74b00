"""The journal that a process writes: an entry is in the file before the call returns.

Every call takes one lock, for a microsecond. A call from a signal handler that interrupts another on the same thread
finds the journal busy; its entry is put aside and follows with the next. Nothing here raises into a training: what
finds no place is counted.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from struct import Struct
from typing import Any
from zlib import crc32

from logbuch.sdk.journal.folder import Folder
from logbuch.sdk.journal.format import (
    HEAD,
    KEY,
    LOW,
    PLAIN_HEAD,
    POINT,
    POINT_BODY,
    POINT_BYTES,
    POINT_ENTRY,
    RECORD,
    ROW,
    ROW_HEAD,
    UNCOUNTED,
    VITAL,
    entry_bytes,
)
from logbuch.sdk.journal.live import LivePart
from logbuch.sdk.journal.note import State
from logbuch.sdk.journal.segments import RESERVE_BYTES, Home, Segments

RECORD_BYTES = 30 * 1024 * 1024
ROW_KEYS = 5000
_AGAIN_SECONDS = 1.0
_point_body, _point_into, _point_entry = POINT_BODY.pack, POINT_ENTRY.pack_into, POINT_ENTRY.pack


class Journal:
    """Entries of one process for one place. The folder is made with the first entry.

    ``root`` is None where nothing can be kept on disk; ``room`` says how many more bytes may be taken of it,
    ``spare`` where it may be instead if nothing can be written there.
    """

    def __init__(
        self,
        root: Path | None,
        place: str,
        room: Callable[[int], bool] | None = None,
        spare: Iterable[Home] = (),
    ) -> None:
        self.id = uuid.uuid4().hex
        self.last = 0
        """The number of the last entry."""
        self.logged = 0
        """How many of them somebody logged; others say that a run was begun."""
        self.dropped = 0
        self.owner = os.getpid()
        self._segments = Segments(self.id, root, place, room, iter(spare))
        self._lock, self._keeping = threading.RLock(), threading.RLock()
        self._busy = False
        self._late: deque[tuple[bytes, bool]] = deque()
        self._keys: dict[tuple[str, str], int] = {}
        self._rows: dict[tuple[str, tuple[str, ...]], tuple[Struct, bytes]] = {}
        self._place = self._end = self._limit = 0
        self._map: Any = None
        self._current: LivePart | None = None
        self._full_until = 0.0
        self._synced = 0
        self._closed = False

    @property
    def folder(self) -> Folder | None:
        """Where it is on the disk; None before that, and where no folder can be made."""
        return self._segments.folder

    @property
    def why_full(self) -> str:
        """Why the last record that found no place found none."""
        return self._segments.why_full

    # -- the training's side -------------------------------------------------------------------------------------------

    def point(self, run_id: str, key: str, value: float, step: int, timestamp: int) -> bool:
        """Logs one point; False if there was no place for it."""
        with self._lock:
            if self._busy:
                self._late.append(self._row_late(run_id, [key], [value], step, timestamp))
                return True
            self._busy = True
            try:
                number = self._keys.get((run_id, key))
                place = self._place
                if number is None or place + POINT_BYTES > self._end:
                    number = self._prepared(run_id, key)
                    if number is None:
                        return False
                    place = self._place
                following = self.last + 1
                body = _point_body(POINT, 0, number, step, timestamp, value)
                if self._map is not None:
                    _point_into(self._map, place, 32, crc32(body, following & LOW), following, body)
                elif not self._written(place, _point_entry(32, crc32(body, following & LOW), following, body)):
                    self.dropped += 1
                    return False
                self.last = following  # before the place: an interrupt between them must not use a number twice
                self._place = self._current.end = place + POINT_BYTES  # type: ignore[union-attr]
                self.logged += 1
                return True
            finally:
                self._busy = False

    def row(self, run_id: str, keys: Sequence[str], values: Sequence[float], step: int, timestamp: int) -> bool:
        """Logs points of several keys at one step; False if there was no place for them."""
        if len(keys) > ROW_KEYS:
            cuts = range(0, len(keys), ROW_KEYS)
            parts = [self.row(run_id, keys[c : c + ROW_KEYS], values[c : c + ROW_KEYS], step, timestamp) for c in cuts]
            return all(parts)
        with self._lock:
            if self._busy:
                self._late.append(self._row_late(run_id, keys, values, step, timestamp))
                return True
            self._busy = True
            try:
                return self._row(run_id, tuple(keys), values, step, timestamp)
            finally:
                self._busy = False

    def record(self, raw: bytes, *, vital: bool = False, counted: bool = True) -> bool:
        """Logs a record of the native ingest protocol; False if there was no place for it."""
        flags = (VITAL if vital else 0) | (0 if counted else UNCOUNTED)
        body = PLAIN_HEAD.pack(RECORD, flags, 0) + raw
        with self._lock:
            if self._busy:
                self._late.append((body, vital))
                return True
            self._busy = True
            try:
                return len(raw) <= RECORD_BYTES and self._append(body, vital=vital)
            finally:
                self._busy = False

    def settle(self) -> None:
        """Makes the folder, if it can be made."""
        with self._lock:
            if not self._closed:
                with contextlib.suppress(OSError):
                    self._segments.make_folder()

    # -- the sender's side ---------------------------------------------------------------------------------------------

    def parts(self) -> list[LivePart]:
        """The segments that are held, the oldest first."""
        if self._late:
            self._catch_up()
        return list(self._segments.held)

    def whole(self) -> int:
        """The number of the last entry, when none is just being written behind it."""
        with self._lock:
            return self.last - 1 if self._busy else self.last  # busy: a signal handler asks, amid a call

    def seal(self) -> None:
        """From now on nothing finds a place."""
        with self._lock:
            self._closed = True
            self._end = self._limit = 0

    def sync(self) -> None:
        """Brings what was written since the last time to the disk, and closes segments that are full.

        OSError if the disk did not take it; the next time tries again.
        """
        if self.last == self._synced:
            return
        last = self.last
        self._segments.sync(last, self._lock)
        self._synced = last

    def release(self, state: State) -> None:
        """Lets go of full segments that a store has acknowledged to the end.

        The state is kept first: where nothing is held any more, it alone tells the chain, and without that a later
        process could not tell this journal from a copy that went its own way.
        """
        number = state.number
        if self._segments.spent(number):
            self.keep(state)
            with self._lock:
                self._segments.release(number)

    def keep(self, state: State) -> None:
        if self.folder is not None:
            with self._keeping:
                state.last = self._segments.kept(self.last)
                self.folder.keep(state)

    def unsafe(self, number: int) -> int:
        """How many entries behind this one are in memory only."""
        return self._segments.unsafe(number, self.last)

    def close(self, *, remove: bool, retire: bool = False) -> None:
        """Ends the journal; ``remove`` takes it off the disk, ``retire`` puts it aside."""
        with self._lock:
            self.seal()
            self._keys.clear()
            self._rows.clear()
            self._map = None
            self._segments.close(remove=remove, retire=retire)

    def abandon(self) -> None:
        """In a forked child: lets go of everything, without touching what is the parent's."""
        self._lock, self._keeping, self._closed = threading.RLock(), threading.RLock(), True
        self._map = None
        self._end = self._limit = 0
        self._segments.abandon()

    # -- within the lock -----------------------------------------------------------------------------------------------

    def _prepared(self, run_id: str, key: str) -> int | None:
        """The number of a key, when there is room for a point; None if there is no place."""
        if self._late:
            self._append_late()
        if self._place + POINT_BYTES + 16 + 2 * len(run_id) + 4 * len(key) > self._end and not self._turn(POINT_BYTES):
            self.dropped += 1
            return None
        number = self._keys.get((run_id, key))
        return self._announced(run_id, key) if number is None else number

    def _announced(self, run_id: str, key: str) -> int | None:
        number = len(self._keys)
        body = PLAIN_HEAD.pack(KEY, 0, number) + f"{run_id}\0{key}".encode()
        if not self._put(entry_bytes(self.last + 1, body), 0):
            self.dropped += 1
            return None
        self._keys[run_id, key] = number
        return number

    def _row(self, run_id: str, keys: tuple[str, ...], values: Sequence[float], step: int, timestamp: int) -> bool:
        count = len(keys)
        size = ROW_HEAD.size + 12 * count + 32
        known = self._rows.get((run_id, keys))
        if known is None or self._place + size > self._end:
            announcing = sum(40 + len(run_id) + 4 * len(key) for key in keys)
            if self._place + size + announcing > self._end and not self._turn(size + announcing):
                self.dropped += 1
                return False
            known = self._row_of(run_id, keys)
            if known is None:
                return False
        pack, numbers = known
        body = ROW_HEAD.pack(ROW, 0, count, step, timestamp) + numbers + pack.pack(*values)
        if not self._put(entry_bytes(self.last + 1, body), 1):
            self.dropped += 1
            return False
        self.logged += 1
        return True

    def _row_of(self, run_id: str, keys: tuple[str, ...]) -> tuple[Struct, bytes] | None:
        numbers = []
        for key in keys:
            number = self._keys.get((run_id, key))
            if number is None:
                number = self._announced(run_id, key)
                if number is None:
                    return None
            numbers.append(number)
        if len(self._rows) > 1000:
            self._rows.clear()
        found = self._rows[run_id, keys] = Struct(f"<{len(keys)}d"), Struct(f"<{len(keys)}I").pack(*numbers)
        return found

    def _row_late(
        self, run_id: str, keys: Sequence[str], values: Sequence[float], step: int, timestamp: int
    ) -> tuple[bytes, bool]:
        """Points of a call that came amid another one, as a record: it needs no key's number."""
        from logbuch.wire import ingest

        points = ingest.Points(run_id)
        for key, value in zip(keys, values, strict=True):
            points.add(key, step, timestamp, value)
        return PLAIN_HEAD.pack(RECORD, 0, 0) + ingest.encode_record(points.record()), False

    def _append(self, body: bytes, *, vital: bool) -> bool:
        if self._late and not vital:
            self._append_late()
        raw = entry_bytes(self.last + 1, body)
        fits = self._place + len(raw) <= self._end or self._turn(len(raw))
        reserved = vital and self._place + len(raw) <= self._limit
        if not (fits or reserved) or not self._put(raw, 1):
            self.dropped += not body[2] & UNCOUNTED
            return False
        self.logged += not body[2] & UNCOUNTED
        return True

    def _append_late(self) -> None:
        while self._late:
            body, vital = self._late.popleft()
            self._append(body, vital=vital)

    def _catch_up(self) -> None:
        with self._lock:
            if not self._busy:
                self._busy = True
                try:
                    self._append_late()
                finally:
                    self._busy = False

    def _put(self, raw: bytes, entries: int) -> bool:
        place = self._place
        if self._map is not None:
            self._map[place : place + len(raw)] = raw
        elif not self._written(place, raw):
            return False
        assert self._current is not None
        self.last += entries
        self._place = self._current.end = place + len(raw)
        return True

    def _written(self, place: int, raw: bytes) -> bool:
        try:
            self._current.segment.write(place, raw)  # type: ignore[union-attr]
        except (OSError, AttributeError) as error:
            self._segments.why_full = f"the disk takes no more records ({getattr(error, 'strerror', None) or error})"
            self._end = self._place  # the next one tries another segment
            return False
        return True

    # -- segments ------------------------------------------------------------------------------------------------------

    def _turn(self, size: int) -> bool:
        """Goes on in a new segment with room for so many bytes; False, and for a moment without trying, if none is to
        be had."""
        if self._closed or time.monotonic() < self._full_until:
            return False
        part = self._segments.new(self.last + 1, size)
        if part is None or part.segment is None:
            self._full_until = time.monotonic() + _AGAIN_SECONDS
            if self._current not in self._segments.held:  # it was empty, and has made way
                self._current = self._map = None
                self._place = self._end = self._limit = 0
            return False
        self._keys.clear()
        self._rows.clear()
        self._current, self._map = part, part.segment.map
        self._place, self._limit = HEAD.size, part.segment.size
        self._end = self._limit - RESERVE_BYTES
        return True
