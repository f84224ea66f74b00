"""Live changes as server-sent events: from a cursor on, at most four a second, nothing missed, nothing polled in vain.

While nobody listens nothing runs. Commits of this process wake the listeners; those of other processes are noticed by
the store's watch, which lasts as long as there is a listener.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from logbuch.store import Store, changes, table
from logbuch.store.tx import Tx

INTERVAL_SECONDS = 0.25
KEEP_ALIVE_SECONDS = 15.0


class Hub:
    """Wakes listeners when something was committed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: AbstractContextManager[None] | None = None
        self._unfollow: Any = None
        self._closed = False

    async def changed(self, listener: asyncio.Event, timeout: float) -> bool:
        """Waits for a commit; False if none came in time."""
        try:
            await asyncio.wait_for(listener.wait(), timeout)
        except TimeoutError:
            return False
        listener.clear()
        return True

    def join(self) -> asyncio.Event:
        """A listener; it must leave again."""
        listener = asyncio.Event()
        self._listeners.add(listener)
        if self._watch is None:
            self._loop = asyncio.get_running_loop()
            self._unfollow = self._store.follow(self._wake)
            self._watch = self._store.watch(self._wake)
            self._watch.__enter__()
        return listener

    async def leave(self, listener: asyncio.Event) -> None:
        self._listeners.discard(listener)
        if not self._listeners and self._watch is not None:
            watch, self._watch = self._watch, None
            self._unfollow()
            await asyncio.get_running_loop().run_in_executor(None, watch.__exit__, None, None, None)

    def close(self) -> None:
        """Ends all streams, so that the server can stop."""
        self._closed = True
        for listener in self._listeners:
            listener.set()

    @property
    def closed(self) -> bool:
        return self._closed

    def _wake(self) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for listener in self._listeners:
            listener.set()


async def events(
    context: Any, cursor: int | None, experiments: Sequence[int], runs: Sequence[int]
) -> AsyncIterator[bytes]:
    """The stream of one listener."""
    listener = context.hub.join()
    try:
        if cursor is None:
            cursor = await context.read(changes.cursor)
        yield _event("hello", cursor, {"cursor": str(cursor)})
        # What was committed between the cursor and joining is told at once.
        woken = True
        while not context.hub.closed:
            if woken:
                heads, following = await context.read(_changed, cursor, experiments, runs)
                if heads:
                    yield _event("changes", following, {"cursor": str(following), "runs": heads})
                cursor = following
                await asyncio.sleep(INTERVAL_SECONDS)
            woken = await context.hub.changed(listener, KEEP_ALIVE_SECONDS)
            if not woken:
                yield b": still here\n\n"
    finally:
        await context.hub.leave(listener)


def _changed(tx: Tx, cursor: int, experiments: Sequence[int], runs: Sequence[int]) -> tuple[list[table.Head], int]:
    ids, following = changes.since(tx, cursor, experiments, runs)
    return table.heads(tx, ids), following


def _event(name: str, cursor: int, data: Any) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (cursor, name.encode(), msgspec.json.encode(data))
