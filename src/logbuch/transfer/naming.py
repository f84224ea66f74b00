"""Names of other trackers as keys that Logbuch keeps, and IDs for runs of trackers that have none of our kind."""

from __future__ import annotations

import posixpath
import re
import uuid
from hashlib import blake2b

from logbuch.limits import KEY_LENGTH
from logbuch.transfer.report import Report

_FORBIDDEN = re.compile(r"[^/\w.\- :]")
_SPACE = uuid.UUID("6f1d7c1e-3c0b-5f7a-9c55-0e2f5d0f6a11")
CHANGED = "names in which characters that Logbuch does not keep became _"


class Keys:
    """The keys of one run. Two names never become one key."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._by_name: dict[str, str] = {}
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}
        """The number that a beginning gets next, so that many of one beginning are not tried one by one."""

    def of(self, name: str) -> str:
        """The key of a name: itself where that is allowed."""
        found = self._by_name.get(name)
        if found is None:
            found = self._by_name[name] = self._free(_key(name))
            self._taken.add(found)
            self._report.note(CHANGED, found != name)
        return found

    def _free(self, key: str) -> str:
        found, beginning = key, key[: KEY_LENGTH - 8]
        while found in self._taken:
            number = self._next.get(beginning, 2)
            self._next[beginning] = number + 1
            found = f"{beginning}_{number}"
        return found


def _key(name: str) -> str:
    found = posixpath.normpath(_FORBIDDEN.sub("_", name).strip("/ "))[:KEY_LENGTH].rstrip("/")
    return "_".join(part if part != ".." else "__" for part in found.split("/")) if ".." in found.split("/") else found


def run_id(*parts: str) -> str:
    """A run's ID from what tells it from all others: the same parts give the same ID."""
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def file_name(folder: str, key: str, step: int, time: int, place: str, suffix: str) -> str:
    """The name of a file of a series over steps, see docs/reference/media.md; ``place`` tells it from all others."""
    unique = uuid.uuid5(_SPACE, place.encode("utf-8", "replace").decode())
    return f"{folder}/{key.replace('/', '~')}+step+{step}+timestamp+{time}+{unique}.{suffix}"
