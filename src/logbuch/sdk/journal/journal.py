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
from collections.abc import Callable, Sequence
from pathlib import Path
from struct import Struct
from typing import Any
from zlib import crc32

from logbuch.sdk.journal.folder import Folder, State
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
    head_bytes,
)
from logbuch.sdk.journal.live import LivePart
from logbuch.sdk.journal.segment import Memory, Segment, can_be_mapped, new_file

FIRST_BYTES, SEGMENT_BYTES = 256 * 1024, 4 * 1024 * 1024
RESERVE_BYTES = 16 * 1024
"""At the end of each segment, for the records without which a run would look as if it still ran."""
MEMORY_BYTES = 64 * 1024 * 1024
"""How much is kept in memory where no file can be made."""
RECORD_BYTES = 30 * 1024 * 1024
ROW_KEYS = 5000
_AGAIN_SECONDS = 1.0
_point_body, _point_into, _point_entry = POINT_BODY.pack, POINT_ENTRY.pack_into, POINT_ENTRY.pack


class Journal:
    """Entries of one process for one place. The folder is made with the first entry.

    ``root`` is None where nothing can be kept on disk; ``room`` says how many more bytes may be taken of it.
    """

    def __init__(self, root: Path | None, place: str, room: Callable[[int], bool] | None = None) -> None:
        self.id = uuid.uuid4().hex
        self.place = place
        self.last = 0
        """The number of the last entry."""
        self.logged = 0
        """How many of them somebody logged; others say that a run was begun."""
        self.dropped = 0
        self.why_full = "there is no place to keep more records"
        self.owner = os.getpid()
        self.folder: Folder | None = None
        self._root, self._room = root, room or (lambda _: True)
        self._lock = threading.RLock()
        self._busy = False
        self._late: deque[tuple[bytes, bool]] = deque()
        self._parts: list[LivePart] = []
        self._keys: dict[tuple[str, str], int] = {}
        self._rows: dict[tuple[str, tuple[str, ...]], tuple[Struct, bytes]] = {}
        self._place = self._end = self._limit = 0
        self._map: Any = None
        self._current: LivePart | None = None
        self._mapped = False
        self._full_until = 0.0
        self._memory = 0
        self._synced = 0
        self._closed = False

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
            if self.folder is None and self._root is not None and not self._closed:
                with contextlib.suppress(OSError):
                    self._make_folder()

    # -- the sender's side ---------------------------------------------------------------------------------------------

    def parts(self) -> list[LivePart]:
        """The segments that are held, the oldest first."""
        if self._late:
            self._catch_up()
        return list(self._parts)

    def sync(self) -> None:
        """Brings what was written since the last time to the disk, and closes segments that are full.

        OSError if the disk did not take it; the next time tries again.
        """
        if self.last == self._synced:
            return
        last, current, failed = self.last, self._current, None
        for part in list(self._parts):
            segment = part.segment
            if segment is not None and part.on_disk:
                try:
                    segment.sync()
                except (OSError, ValueError) as error:
                    if part.segment is not None:  # else it has just been closed
                        failed = error
                    continue
                if part is not current and part.first <= last:
                    with self._lock:
                        part.close()
        if failed is not None:
            raise failed
        self._synced = last

    def release(self, number: int) -> None:
        """Lets go of full segments whose entries all came before or with this one."""
        with self._lock:
            while len(self._parts) > 1 and self._parts[1].first <= number + 1:
                part = self._parts.pop(0)
                if not part.on_disk and part.segment is not None:
                    self._memory -= part.segment.size
                part.discard()

    def keep(self, state: State) -> None:
        if self.folder is not None:
            self.folder.keep(state)

    def unsafe(self, number: int) -> int:
        """How many entries behind this one are in memory only."""
        count, ends = 0, [part.first for part in self._parts[1:]] + [self.last + 1]
        for part, end in zip(self._parts, ends, strict=True):
            if not part.on_disk:
                count += max(0, end - max(part.first, number + 1))
        return count

    def close(self, *, remove: bool, retire: bool = False) -> None:
        """Ends the journal; ``remove`` takes it off the disk, ``retire`` puts it aside."""
        with self._lock:
            self._closed = True
            self._end = self._limit = 0
            self._keys.clear()
            self._rows.clear()
            self._map = None
            for part in self._parts:
                part.close()
            if self.folder is not None:
                if remove:
                    self.folder.remove()
                elif retire:
                    self.folder.retire()
                self.folder.unlock()

    def abandon(self) -> None:
        """In a forked child: lets go of everything, without touching what is the parent's."""
        self._lock, self._closed = threading.RLock(), True
        self._map = None
        self._end = self._limit = 0
        for part in self._parts:
            if part.segment is not None:
                part.segment.drop()
        if self.folder is not None:
            self.folder.unlock()

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
            self.why_full = f"the disk takes no more records ({getattr(error, 'strerror', None) or error})"
            self._end = self._place  # the next one tries another segment
            return False
        return True

    # -- segments ------------------------------------------------------------------------------------------------------

    def _turn(self, size: int) -> bool:
        """Goes on in a new segment with room for so many bytes; False, and for a moment without trying, if none is to
        be had."""
        if self._closed or time.monotonic() < self._full_until:
            return False
        usual = FIRST_BYTES if not self._parts else min(SEGMENT_BYTES, 2 * max(self._limit, FIRST_BYTES))
        wanted = max(usual, size + HEAD.size + RESERVE_BYTES + 64)
        first, nonce = self.last + 1, os.urandom(16)
        self._drop_empty(first)
        segment, path = self._new_segment(wanted, first)
        if segment is None:
            self._full_until = time.monotonic() + _AGAIN_SECONDS
            return False
        part = LivePart(segment, path, first, nonce)
        try:
            segment.write(0, head_bytes(self.id, first, nonce))
        except OSError:
            part.discard()
            self._full_until = time.monotonic() + _AGAIN_SECONDS
            return False
        self._keys.clear()
        self._rows.clear()
        self._current, self._map = part, segment.map
        self._place, self._limit = HEAD.size, segment.size
        self._end = segment.size - RESERVE_BYTES
        self._parts.append(part)
        return True

    def _drop_empty(self, first: int) -> None:
        """A segment that took no entry makes way: the next one has the same first entry."""
        if self._parts and self._parts[-1].first == first:
            self._map = None
            self._place = self._end = self._limit = 0
            self._parts.pop().discard()

    def _new_segment(self, size: int, first: int) -> tuple[Segment | None, Path | None]:
        if self._root is not None:
            try:
                if self.folder is None:
                    self._make_folder()
                if self._room(size):
                    assert self.folder is not None
                    path = self.folder.segment(first)
                    return new_file(path, size, self._mapped), path
                self.why_full = "the journal has reached its limit (setting journal_bytes)"
                return None, None
            except OSError as error:
                self.why_full = f"the journal cannot be written ({error.strerror or error})"
        if self._memory + size <= MEMORY_BYTES:
            with contextlib.suppress(OSError):
                segment = Memory(size)
                self._memory += size
                return segment, None
        return None, None

    def _make_folder(self) -> None:
        assert self._root is not None
        folder = Folder(self._root / self.id)
        folder.create(self.place)
        self._mapped = can_be_mapped(folder.path)
        self.folder = folder
