"""Uploads in parts: on a disk one file that grows part by part, in a bucket the store's own multipart upload.

What has arrived is read from the place itself, so that it is true after any kill.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from logbuch.errors import InvalidInput, NotFound
from logbuch.files.bucket import MOST_PARTS, PART_BYTES, BucketFiles
from logbuch.files.disk import LocalFiles
from logbuch.files.storage import Stat

_MIB = 1024 * 1024


class Wanted(Protocol):
    """What was said of an upload at its beginning."""

    @property
    def id(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def part_bytes(self) -> int: ...
    @property
    def remote(self) -> str | None: ...


class Parts(Protocol):
    """One upload where its parts are gathered. All calls block."""

    def begin(self) -> str:
        """Begins it; the place's own ID of it."""

    def arrived(self) -> int:
        """How many parts are there, counted from the first one on."""

    def urls(self, start: int) -> Sequence[str]:
        """Addresses for the parts from ``start`` on, where clients may send them past the server; else none."""

    def put(self, number: int, content: bytes) -> None:
        """Takes a part; of one that is there already the first stays."""

    def finish(self, marks: Mapping[int, str]) -> Stat:
        """Makes the file of the parts; InvalidInput where they are not what was meant."""

    def abort(self) -> None: ...


def part_size(size: int) -> int:
    """Bytes of a part of a file of this size: few enough parts, each small enough for memory."""
    return max(PART_BYTES, -(-size // (MOST_PARTS * _MIB)) * _MIB)


class DiskParts:
    """Parts in one unfinished file, in their order: its size says how many are there."""

    def __init__(self, files: LocalFiles, key: str, wanted: Wanted) -> None:
        self._files, self._key, self._wanted = files, key, wanted
        self._staged = files.staged(wanted.id)

    def begin(self) -> str:
        """There is no file before its first part: an upload that nobody goes on with leaves nothing."""
        return self._wanted.id

    def arrived(self) -> int:
        return self._whole(self._staged.size())

    def _whole(self, size: int) -> int:
        return -(-size // self._wanted.part_bytes) if size >= self._wanted.size else size // self._wanted.part_bytes

    def urls(self, start: int) -> Sequence[str]:  # noqa: ARG002
        return ()

    def put(self, number: int, content: bytes) -> None:
        with self._staged.held(create=True) as file:
            arrived = self._whole(os.fstat(file).st_size)
            if number > arrived:
                raise InvalidInput(f"Part {number} comes before part {arrived}: send them in their order.")
            if number == arrived:  # else it came before, by a client that did not hear of it, or by another
                self._staged.write(file, number * self._wanted.part_bytes, content)

    def finish(self, marks: Mapping[int, str]) -> Stat:  # noqa: ARG002
        if self._wanted.size and not self._staged.size():
            if self._placed():
                raise NotFound("The upload has ended: begin it again.")
            raise self._not_meant(0, hashlib.sha256())
        with self._staged.held(create=not self._wanted.size) as file:
            found, digest = 0, hashlib.sha256()
            for block in self._staged.blocks(file):
                found += len(block)
                digest.update(block)
            if (found, digest.hexdigest()) != (self._wanted.size, self._wanted.sha256):
                raise self._not_meant(found, digest)
            return self._staged.place(file, self._key)

    def abort(self) -> None:
        self._staged.remove()

    def _placed(self) -> bool:
        """Whether a file like the one that was meant has its place: another sender was faster, and it has not been
        noted yet."""
        try:
            return self._files.stat(self._key).size == self._wanted.size
        except (NotFound, InvalidInput):
            return False

    def _not_meant(self, found: int, digest: hashlib._Hash) -> InvalidInput:
        return InvalidInput(
            f"The file is not what was meant: {found} of {self._wanted.size} bytes are there, "
            f"with the sha256 {digest.hexdigest()}. Begin the upload again."
        )


class BucketParts:
    """Parts of a multipart upload of the store's."""

    def __init__(self, files: BucketFiles, key: str, wanted: Wanted) -> None:
        self._files, self._key, self._wanted = files, key, wanted
        self._remote = wanted.remote or ""

    def begin(self) -> str:
        self._remote = self._files.begin(self._key)
        return self._remote

    def arrived(self) -> int:
        there = self._files.parts(self._key, self._remote)
        count = 0
        while count + 1 in there and there[count + 1][1] == self._size(count):
            count += 1
        return count

    def urls(self, start: int) -> Sequence[str]:
        if not self._files.signs:
            return ()
        return [self._files.sign_part(self._key, self._remote, number + 1) for number in range(start, self._count)]

    def put(self, number: int, content: bytes) -> None:
        self._files.put_part(self._key, self._remote, number + 1, content)

    def finish(self, marks: Mapping[int, str]) -> Stat:
        """``marks`` are checked against those of the store: a part that was sent past the server may be another one."""
        if not self._wanted.size:
            return self._empty()
        there = self._files.parts(self._key, self._remote)
        for number in range(self._count):
            mark, size = there.get(number + 1, ("", -1))
            if size != self._size(number) or marks.get(number, mark).strip('"') != mark:
                raise InvalidInput(f"Part {number} is not there as it was sent. Begin the upload again.")
        return self._files.complete(self._key, self._remote, {number: mark for number, (mark, _) in there.items()})

    def abort(self) -> None:
        with suppress(NotFound):
            self._files.abort(self._key, self._remote)

    @property
    def _count(self) -> int:
        return -(-self._wanted.size // self._wanted.part_bytes)

    def _size(self, number: int) -> int:
        return min(self._wanted.part_bytes, self._wanted.size - number * self._wanted.part_bytes)

    def _empty(self) -> Stat:
        self.abort()
        return self._files.sink(self._key).finish()
