"""The segments of the journal that a process writes: made as they are needed, synced, let go of, and closed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import RLock
from typing import NamedTuple

from logbuch.sdk.journal.folder import Folder
from logbuch.sdk.journal.format import HEAD, head_bytes
from logbuch.sdk.journal.live import LivePart
from logbuch.sdk.journal.segment import Memory, Segment, can_be_mapped, new_file
from logbuch.sdk.notes import say

FIRST_BYTES, SEGMENT_BYTES = 256 * 1024, 4 * 1024 * 1024
RESERVE_BYTES = 16 * 1024
"""At the end of each segment, for the records without which a run would look as if it still ran."""
MEMORY_BYTES = 64 * 1024 * 1024
"""How much is kept in memory where no file can be made."""


class Home(NamedTuple):
    """A folder of journals, how those in it name what they are meant for, and what says whether there is room."""

    root: Path
    place: str
    room: Callable[[int], bool]


class Segments:
    """``held`` is a list of them, the oldest first; the last one is written to. ``spare`` gives other homes, if the
    first cannot be written to at the beginning. See :class:`Journal` for the rest."""

    def __init__(
        self,
        journal: str,
        root: Path | None,
        place: str,
        room: Callable[[int], bool] | None,
        spare: Iterator[Home],
    ) -> None:
        self.held: list[LivePart] = []
        self.folder: Folder | None = None
        self.why_full = "there is no place to keep more records"
        self._journal, self._root, self._place, self._room = journal, root, place, room or (lambda _: True)
        self._spare = spare
        self._mapped = False
        self._memory, self._size = 0, FIRST_BYTES

    def make_folder(self) -> None:
        """Makes the journal's folder, unless it is there; OSError if that cannot be."""
        while self.folder is None and self._root is not None:
            folder = Folder(self._root / self._journal)
            try:
                folder.create(self._place)
            except OSError as error:
                if not self._moves(error):
                    raise
            else:
                self._mapped = can_be_mapped(folder.path)
                self.folder = folder

    def new(self, first: int, size: int) -> LivePart | None:
        """A segment from entry number ``first`` on, with room for so many bytes at least beside what is reserved; None
        if no room is to be had."""
        usual = min(SEGMENT_BYTES, 2 * self._size) if self.held else FIRST_BYTES
        self._drop_empty(first)
        segment, path = self._made(max(usual, size + HEAD.size + RESERVE_BYTES + 64), first)
        if segment is None:
            return None
        nonce = os.urandom(16)
        part = LivePart(segment, path, first, nonce)
        try:
            segment.write(0, head_bytes(self._journal, first, nonce))
        except OSError as error:
            part.discard()
            return self.new(first, size) if self._moves(error) else None
        self.held.append(part)
        self._size = segment.size
        return part

    def sync(self, last: int, lock: RLock) -> None:
        """Brings all to the disk, and closes segments that are full; OSError if the disk did not take something."""
        newest, failed = self.held[-1] if self.held else None, None
        for part in list(self.held):
            segment = part.segment
            if segment is not None and part.on_disk:
                try:
                    segment.sync()
                except (OSError, ValueError) as error:
                    if part.segment is not None:  # else it has just been closed
                        failed = error
                    continue
                if part is not newest and part.first <= last:
                    with lock:
                        part.close()
        if failed is not None:
            raise failed

    def spent(self, number: int) -> bool:
        """Whether there are full segments whose entries all came before or with this one."""
        return len(self.held) > 1 and self.held[1].first <= number + 1

    def release(self, number: int) -> None:
        """Lets go of full segments whose entries all came before or with this one."""
        while self.spent(number):
            part = self.held.pop(0)
            if not part.on_disk and part.segment is not None:
                self._memory -= part.segment.size
            part.discard()

    def kept(self, last: int) -> int:
        """Up to which entry, of those up to the ``last``, all are on the disk."""
        return next((part.first - 1 for part in self.held if not part.on_disk), last)

    def unsafe(self, number: int, last: int) -> int:
        """How many entries behind ``number``, up to the ``last``, are in memory only."""
        count, ends = 0, [part.first for part in self.held[1:]] + [last + 1]
        for part, end in zip(self.held, ends, strict=True):
            if not part.on_disk:
                count += max(0, end - max(part.first, number + 1))
        return count

    def close(self, *, remove: bool, retire: bool) -> None:
        for part in self.held:
            part.close()
        if self.folder is not None:
            if remove:
                self.folder.remove()
            elif retire:
                self.folder.retire()
            self.folder.unlock()

    def abandon(self) -> None:
        """In a forked child: lets go of everything, without touching what is the parent's."""
        for part in self.held:
            if part.segment is not None:
                part.segment.drop()
        if self.folder is not None:
            self.folder.unlock()

    def _drop_empty(self, first: int) -> None:
        """A segment that took no entry makes way: the next one has the same first entry."""
        if self.held and self.held[-1].first == first:
            self.held.pop().discard()

    def _made(self, size: int, first: int) -> tuple[Segment | None, Path | None]:
        if self._root is not None:
            try:
                return self._file(size, first)
            except OSError as error:
                self.why_full = f"the journal cannot be written ({error.strerror or error})"
        if self._memory + size <= MEMORY_BYTES:
            with contextlib.suppress(OSError):
                segment = Memory(size)
                self._memory += size
                return segment, None
        return None, None

    def _file(self, size: int, first: int) -> tuple[Segment | None, Path | None]:
        """A segment on the disk; OSError if it takes none."""
        self.make_folder()
        if not self._room(size):
            self.why_full = "the journal has reached its limit (setting journal_bytes)"
            return None, None
        assert self.folder is not None
        path = self.folder.segment(first)
        try:
            return new_file(path, size, self._mapped), path
        except OSError as error:
            if not self._moves(error):
                raise
            return self._file(size, first)

    def _moves(self, error: OSError) -> bool:
        """Chooses another home, as long as nothing is kept in this one; False if there is none."""
        if self.held or (self.folder is not None and self.folder.files.exists()):
            return False
        home = next(self._spare, None)
        if home is None:
            return False
        if self.folder is not None:
            self.folder.remove()
            self.folder = None
        reason = error.strerror or error
        say(f"logbuch: nothing can be written to {self._root} ({reason}), so what is logged is kept in {home.root}")
        self._root, self._place, self._room = home
        return True
