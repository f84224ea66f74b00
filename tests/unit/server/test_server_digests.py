"""Digests of files: those of a moment go to the database together, and none of what is deleted."""

from __future__ import annotations

import asyncio

from logbuch.server import digests
from logbuch.server.digests import Digests
from logbuch.store.artifacts import Known


def known(key: str, mark: str = "m") -> Known:
    return Known(key=key, size=1, sha256="0" * 64, mark=mark)


def test_those_of_a_moment_are_written_together() -> None:
    written: list[tuple[Known, ...]] = []

    async def upload() -> None:
        kept = Digests(lambda *files: written.append(files))
        for key, mark in (("a", "1"), ("b", "1"), ("a", "2")):
            kept.add(known(key, mark))
        assert written == []
        while not written:
            await asyncio.sleep(digests.GATHER_SECONDS / 10)
        kept.add(known("c"))
        kept.flush()

    asyncio.run(upload())
    assert written == [(known("a", "2"), known("b", "1")), (known("c"),)]


def test_many_wait_for_nothing() -> None:
    written: list[tuple[Known, ...]] = []

    async def upload() -> None:
        kept = Digests(lambda *files: written.append(files))
        for number in range(digests.MOST):
            kept.add(known(str(number)))
        assert len(written) == 1
        assert kept.take() == []

    asyncio.run(upload())


def test_what_is_deleted_is_not_written() -> None:
    async def upload() -> None:
        kept = Digests(lambda *_: None)
        for key in ("r/a", "r/a/b", "r/ab", "s"):
            kept.add(known(key))
        kept.forget("r/a")
        assert [one.key for one in kept.take()] == ["r/ab", "s"]

    asyncio.run(upload())
