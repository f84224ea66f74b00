"""The roots that the administrator configured, as one space of keys: the one class through which files are reached."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from logbuch.errors import InvalidInput, NotFound, StoreRefused, Unavailable
from logbuch.files.bucket import BucketFiles
from logbuch.files.disk import LocalFiles
from logbuch.files.keys import TEMPORARY
from logbuch.files.s3 import Access
from logbuch.files.storage import Expected, Found, Opened, Receiving, Stat, Storage
from logbuch.limits import clip
from logbuch.model import FileInfo

OWNER_KEY = TEMPORARY + "owner"
"""Where a root names the store that it belongs to. No artifact can bear this name."""
MARK = ":"
"""Begins the first segment of a key that lies below another root than the default: the mark and the root's name."""


class Files:
    """All files of a server. The first root is the default one; keys of the others begin with a name of their root."""

    def __init__(self, roots: Sequence[Storage]) -> None:
        self.default, *others = roots
        self._others = {MARK + _name(root.where): root for root in others}

    @classmethod
    def at(cls, root: str | Path, others: Sequence[str] = ()) -> Files:
        """The files at these addresses: folders, ``file:`` or ``s3://BUCKET/PREFIX``. StoreRefused for any other."""
        return cls([open_root(str(where)) for where in (root, *others)])

    @property
    def where(self) -> str:
        return self.default.where

    def hasten(self) -> None:
        """For a server: acknowledges small files sooner, which has to be ended by :meth:`close`."""
        for root in (self.default, *self._others.values()):
            if isinstance(root, LocalFiles):
                root.hasten()

    def close(self) -> None:
        for root in (self.default, *self._others.values()):
            if isinstance(root, LocalFiles):
                root.close()

    @property
    def signs(self) -> bool:
        """Whether clients can be sent to the object store itself, wherever an experiment keeps its files."""
        return all(isinstance(root, BucketFiles) and root.signs for root in (self.default, *self._others.values()))

    @property
    def names(self) -> Sequence[str]:
        """What keys may begin with: nothing for the default root, and the other roots' names."""
        return ("", *self._others)

    def claim(self, owner: str) -> set[str]:
        """Marks the roots that nobody has marked as those of a store, by its ID. The names of the roots that bore this
        mark before: empty for the default root."""
        mine = set()
        for name, root in (("", self.default), *self._others.items()):
            try:
                opened = root.open(OWNER_KEY)
            except NotFound:
                with Receiving(root.sink(OWNER_KEY), Expected()) as receiving:
                    receiving.write((owner.encode(),))
                    receiving.finish()
                continue
            if opened.read(0, opened.stat.size) == owner.encode():
                mine.add(name)
            opened.close()
        return mine

    def location(self, wanted: str) -> str:
        """The folder, as keys begin with it, that a client wants for an experiment's files; empty for none.

        Clients may name a folder inside a configured root and nothing else.
        """
        if not wanted:
            return ""
        inside = self.default.location(wanted)
        if inside is not None and not inside.startswith(MARK):
            return inside
        for name, root in self._others.items():
            inside = root.location(wanted)
            if inside is not None:
                return f"{name}/{inside}" if inside else name
        raise InvalidInput(
            f"Invalid value {clip(wanted)!r} for parameter 'artifact_location': "
            "it lies outside the artifact roots that this server was started with."
        )

    def place(self, key: str) -> tuple[Storage, str]:
        """The root of a key, and the rest of it, which the root knows."""
        if not key.startswith(MARK):
            return self.default, key
        name, _, rest = key.partition("/")
        root = self._others.get(name)
        if root is None:
            raise Unavailable("The artifact root of this experiment is not configured on this server.")
        return root, rest

    def receive(self, key: str, expected: Expected = Expected()) -> Receiving:  # noqa: B008
        """A file on its way in."""
        root, inside = self.place(key)
        return Receiving(root.sink(inside), expected)

    def open(self, key: str) -> Opened:
        root, inside = self.place(key)
        return root.open(inside)

    def stat(self, key: str) -> Stat:
        root, inside = self.place(key)
        return root.stat(inside)

    def list(self, key: str, shown: str = "") -> list[FileInfo]:
        root, inside = self.place(key)
        return root.list(inside, shown)

    def delete(self, key: str) -> None:
        root, inside = self.place(key)
        root.delete(inside)

    def walk(self, key: str) -> Iterator[Found]:
        """See :meth:`Storage.walk`; the keys that are found are those of the root."""
        root, inside = self.place(key)
        return root.walk(inside)


def root_name(key: str) -> str:
    """The name of a key's root; empty for the default one."""
    return key.partition("/")[0] if key.startswith(MARK) else ""


def open_root(where: str) -> Storage:
    """The files at one address."""
    parts = urlsplit(where)
    if parts.scheme == "s3":
        if not parts.netloc or parts.query or parts.fragment or "@" in parts.netloc:
            raise StoreRefused(f"{where!r} names no bucket: use s3://BUCKET or s3://BUCKET/PREFIX.")
        return BucketFiles(Access.of(parts.netloc, parts.path.strip("/")))
    if parts.scheme == "file":
        return LocalFiles(Path(unquote(parts.path)))
    if "://" in where:
        raise StoreRefused(f"{where!r} is no place for artifacts: use a folder or s3://BUCKET/PREFIX.")
    return LocalFiles(Path(where))


def _name(where: str) -> str:
    return hashlib.sha256(where.encode()).hexdigest()[:12]
