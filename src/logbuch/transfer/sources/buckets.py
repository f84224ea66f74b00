"""Artifacts of a source that lie in buckets. One that does not answer is left in peace, and the rest moves on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO

from logbuch.errors import LogbuchError, NotFound, Unavailable
from logbuch.files.roots import open_root
from logbuch.files.storage import Storage
from logbuch.transfer.source import SourceFile

SCHEME = "s3://"
_IN_MEMORY = 8 * 1024 * 1024
_OF_ONE_RUN = 3
"""Segments at the end of an address that are one run's: experiment, run, ``artifacts``. What is before is its root."""
_ATTEMPTS = 3
"""Refusals in a row after which a root is not asked again: each may take a minute, and there may be thousands."""


class Buckets:
    """Reads from buckets. What cannot be read raises a LogbuchError that is not Unavailable: the move goes on."""

    def __init__(self) -> None:
        self._roots: dict[str, Storage] = {}
        self._refused: dict[str, tuple[int, str]] = {}
        """How often in a row a root has refused, and what it said."""

    def below(self, uri: str) -> Iterator[SourceFile]:
        """The files below an address."""
        root, key = _split(uri)
        with self._asked(root):
            yield from self._list(self._root(root), root, key, "")

    def _list(self, storage: Storage, root: str, key: str, shown: str) -> Iterator[SourceFile]:
        for found in storage.list(f"{key}/{shown}" if shown else key, shown):
            if found.is_dir:
                yield from self._list(storage, root, key, found.path)
            else:
                yield SourceFile(
                    found.path, found.file_size, "/".join(part for part in (root, key, found.path) if part)
                )

    def open(self, file: SourceFile) -> BinaryIO:
        """A file of :meth:`below`, whole: what is read of it later cannot fail."""
        held: Any = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  whoever asked for it closes it
        root, key = _split(file.place.removesuffix(f"/{file.path}"))
        with self._asked(root), closing(self._root(root).open(f"{key}/{file.path}" if key else file.path)) as opened:
            for start in range(0, opened.stat.size, opened.window):
                held.write(opened.read(start, min(opened.window, opened.stat.size - start)))
        held.seek(0)
        made: BinaryIO = held
        return made

    def _root(self, root: str) -> Storage:
        if root not in self._roots:
            self._roots[root] = open_root(root)
        return self._roots[root]

    @contextmanager
    def _asked(self, root: str) -> Iterator[None]:
        times, why = self._refused.get(root, (0, ""))
        if times >= _ATTEMPTS:
            raise NotFound(f"{root} was not asked any more: {why}")
        try:
            yield
        except Unavailable as error:
            self._refused[root] = times + 1, error.message
            raise NotFound(f"{root}: {error.message}") from None
        except LogbuchError:
            raise
        else:
            self._refused.pop(root, None)


def _split(uri: str) -> tuple[str, str]:
    """The root of an address, and the key of what lies below it."""
    bucket, *path = uri.removeprefix(SCHEME).rstrip("/").split("/")
    at = max(0, len(path) - _OF_ONE_RUN)
    return SCHEME + "/".join([bucket, *path[:at]]), "/".join(path[at:])
