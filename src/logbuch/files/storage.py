"""What a place of files offers, be it a disk or a bucket. All calls block; a server makes them in threads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from logbuch.errors import InvalidInput
from logbuch.model import FileInfo


@dataclass(frozen=True, slots=True)
class Stat:
    """What a place knows of a whole file: bytes, time of the last change (s since 1970), and a mark of its content,
    which is another one whenever the file was written anew."""

    size: int
    modified: float
    mark: str


@dataclass(frozen=True, slots=True)
class Found:
    """A file met on a walk; ``pending`` is an upload that nobody has finished."""

    key: str
    size: int
    modified: float
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What the sender says of a file; an upload that differs is refused. None where it says nothing."""

    size: int | None = None
    sha256: str | None = None

    def check(self, size: int, sha256: str) -> None:
        """InvalidInput where a whole file is not what was meant."""
        if self.size is not None and size != self.size:
            raise InvalidInput(f"The file was cut on its way: {size} of {self.size} bytes arrived. Send it again.")
        if self.sha256 is not None and sha256 != self.sha256:
            raise InvalidInput(f"The file was damaged on its way: its sha256 is {sha256}, not {self.sha256}.")


class Opened(Protocol):
    """A file that is being read; it keeps its content though another one takes its place, or says that it is gone."""

    stat: Stat
    window: int
    """Bytes that are best read at once."""

    def read(self, start: int, size: int) -> bytes:
        """Exactly these bytes, which must lie inside the file."""

    def close(self) -> None:
        """Lets go of the file; again is no error."""


class Sink(Protocol):
    """A file that is being written: in its place after :meth:`finish`, gone without a trace after :meth:`abort`."""

    def write(self, blocks: Sequence[bytes]) -> None: ...

    def finish(self) -> Stat: ...

    def abort(self) -> None: ...


class Storage(Protocol):
    """Files below one root. Keys come from :mod:`logbuch.files.keys`."""

    where: str
    """The root, as a person would name it."""

    def location(self, wanted: str) -> str | None:
        """The folder below this root that an absolute address names; None if it names none."""

    def sink(self, key: str) -> Sink:
        """A file to write; whatever the key named before is replaced at once when it is whole."""

    def open(self, key: str) -> Opened:
        """NotFound if there is no such file, InvalidInput for a folder."""

    def stat(self, key: str) -> Stat: ...

    def list(self, key: str, shown: str = "") -> list[FileInfo]:
        """What a folder holds, by name; paths begin with ``shown``. Empty for a folder that does not exist."""

    def delete(self, key: str) -> None:
        """Removes a file, or a folder with all that it holds; NotFound if there is neither."""

    def walk(self, key: str = "") -> Iterator[Found]:
        """All files below a folder, those of unfinished uploads too; none for a folder that does not exist."""

    def discard(self, found: Found) -> None:
        """Removes an unfinished upload that a walk has met; nothing if it is gone."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that was taken."""

    stat: Stat
    sha256: str


class Receiving:
    """A file on its way in: counted and hashed as it is written. As a context it is aborted unless it was finished."""

    def __init__(self, sink: Sink, expected: Expected) -> None:
        self._sink = sink
        self._expected = expected
        self._hash = hashlib.sha256()
        self._open = True
        self.size = 0

    def write(self, blocks: Sequence[bytes]) -> None:
        for block in blocks:
            self._hash.update(block)
            self.size += len(block)
        self._sink.write(blocks)

    def finish(self) -> Stored:
        """Puts the file in its place, if it is what its sender meant."""
        sha256 = self._hash.hexdigest()
        self._expected.check(self.size, sha256)
        stat = self._sink.finish()
        self._open = False
        return Stored(stat, sha256)

    def abort(self) -> None:
        if self._open:
            self._open = False
            self._sink.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


def windows(opened: Opened, start: int, end: int) -> Iterator[Callable[[], bytes]]:
    """The reads that give a stretch of a file, in order."""
    for at in range(start, end, opened.window):
        yield lambda at=at: opened.read(at, min(opened.window, end - at))  # type: ignore[misc]
