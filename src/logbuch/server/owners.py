"""Which runs and logged models exist, looked up once for all files that come while nothing in the database changes."""

from __future__ import annotations

from collections.abc import Hashable

from logbuch.store import Store, artifacts

MOST = 10_000


class Owners:
    """May be asked from any thread. What it says is what the database says at that moment."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: tuple[Hashable, set[frozenset[str]]] = (None, set())
        """A stamp of the database, and the owners that were found while it held."""

    def exist(self, key: str) -> bool:
        """Whether the run or the logged model of a key exists; see :func:`logbuch.store.artifacts.has_owner`."""
        names = artifacts.owners(key)
        stamp = self._store.stamp()  # taken first: what is read after it is no older
        seen, known = self._seen
        if stamp is not None and stamp == seen and names in known:
            return True
        if not self._store.read(artifacts.has_owner, key):
            return False
        if stamp is not None:
            self._note(stamp, names)
        return True

    def _note(self, stamp: Hashable, names: frozenset[str]) -> None:
        seen, known = self._seen
        if stamp == seen and len(known) < MOST:
            known.add(names)
        else:
            self._seen = (stamp, {names})
