"""Calls that wait for files: in threads, and told to the loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from logbuch.errors import NotFound
from logbuch.files.roots import Files
from logbuch.server.context import Context, Options
from logbuch.store import open_store


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    store = open_store(f"sqlite:///{tmp_path}/logbuch.db", seal=False)
    made = Context(store, Files.at(tmp_path / "artifacts"), Options(), files_threads=ThreadPoolExecutor(1))
    yield made
    made.close()


def test_values_and_errors_come_back_from_another_thread(context: Context) -> None:
    async def ask() -> None:
        assert await context.files_call(threading.get_ident) != threading.get_ident()
        assert await context.files_call(max, 1, 2) == 2
        with pytest.raises(NotFound, match="No such artifact"):
            await context.files_call(context.files.open, "0/missing")
        assert await asyncio.gather(*(context.files_call(abs, -number) for number in range(99))) == list(range(99))

    asyncio.run(ask())


def test_who_no_longer_waits_disturbs_nobody(context: Context) -> None:
    begun, let = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert let.wait(60)
        raise NotFound("too late")

    async def leave() -> None:
        waiting = asyncio.ensure_future(context.files_call(wait))
        await asyncio.to_thread(begun.wait, 60)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        let.set()
        assert await context.files_call(abs, -1) == 1

    asyncio.run(leave())


def test_a_loop_that_has_ended_is_no_error_of_a_thread(context: Context) -> None:
    begun, let = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert let.wait(60)

    async def leave() -> None:
        waiting = asyncio.ensure_future(context.files_call(wait))
        await asyncio.to_thread(begun.wait, 60)
        waiting.cancel()

    asyncio.run(leave())
    let.set()

    async def again() -> int:
        return await context.files_call(abs, -1)

    assert asyncio.run(again()) == 1
