"""A segment that this process writes, or has written, as it is read."""

from __future__ import annotations

import contextlib
from pathlib import Path

from logbuch.sdk.journal.format import HEAD
from logbuch.sdk.journal.segment import Segment


class LivePart:
    """A segment of this process. ``segment`` is None once it has been closed: then its file is read."""

    def __init__(self, segment: Segment, path: Path | None, first: int, nonce: bytes) -> None:
        self.segment: Segment | None = segment
        self.path, self.first, self.nonce = path, first, nonce
        self.end = HEAD.size
        self.on_disk = segment.on_disk

    def stretches(self, begin: int) -> list[tuple[int, int]]:
        return [(begin, self.end)] if begin < self.end else []

    def read(self, begin: int, end: int) -> bytes:
        segment = self.segment
        if segment is not None:
            with contextlib.suppress(ValueError):  # it has just been closed
                return segment.read(begin, end)
        assert self.path is not None
        with self.path.open("rb") as file:
            file.seek(begin)
            return file.read(end - begin)

    def close(self) -> None:
        segment, self.segment = self.segment, None
        if segment is not None:
            segment.close(self.end)

    def discard(self) -> None:
        """Takes it away, with its file."""
        self.close()
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()
