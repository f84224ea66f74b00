"""Load: many kept-alive connections that each send a request, wait for the answer, and send the next.

For short requests ``wrk`` drives where it is installed, for its work is small beside a server's; else the asyncio
client below does, which costs about as much as a fast server and so bounds what is measured of one.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

import msgspec

from benchmarks.client import MLFLOW, Refused
from benchmarks.generator import FIRST_TIME

CALLS = {"metric": "runs/log-metric", "run": "runs/create"}
Item = TypeVar("Item")
_SCRIPT = Path(__file__).with_name("load.lua")


class Driven(msgspec.Struct, frozen=True):
    """What a load came to. ``sent`` exceeds ``answered`` by what was under way when the time was up."""

    answered: int
    sent: int
    refused: int
    broken: int
    seconds: float
    median_ms: float


def driver() -> str:
    """The name of the load generator for short requests."""
    return "wrk" if shutil.which("wrk") else "an asyncio client"


def drive(url: str, mode: Literal["metric", "run"], target: str, connections: int, seconds: float) -> Driven:
    """Sends points of a run (``target`` is the run), or creates runs (``target`` is the experiment), for so long."""
    chosen = _wrk if shutil.which("wrk") else _own
    found = chosen(url, mode, target, connections, seconds)
    if found.refused or found.broken:
        raise Refused(f"{found.refused} of {found.answered} requests were refused, {found.broken} broke off")
    return found


def _wrk(url: str, mode: str, target: str, connections: int, seconds: float) -> Driven:
    environment = os.environ | {"MODE": mode, "TARGET": target, "PATH_OF_CALL": MLFLOW + CALLS[mode]}
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "60s", "--latency"]
    answer = subprocess.run(
        [*command, "-s", str(_SCRIPT), url], env=environment, capture_output=True, text=True, check=False
    )
    _, mark, result = answer.stdout.partition("RESULT ")
    if not mark:
        raise RuntimeError(f"wrk failed: {answer.stdout}{answer.stderr}")
    return msgspec.json.decode(result.splitlines()[0], type=Driven)


def _own(url: str, mode: str, target: str, connections: int, seconds: float) -> Driven:
    """The same requests as load.lua's, by the asyncio client; everything that was sent is also answered."""
    spent: list[float] = []
    begun = time.perf_counter()

    def bodies() -> Iterator[bytes]:
        number = 0
        while time.perf_counter() - begun < seconds:
            number += 1
            yield _body(mode, target, number)

    async def work(connection: Connection, body: bytes) -> None:
        start = time.perf_counter()
        await connection.post(MLFLOW + CALLS[mode], body)
        spent.append(time.perf_counter() - start)

    share(url, bodies(), connections, work)
    total = time.perf_counter() - begun
    return Driven(len(spent), len(spent), 0, 0, total, 1000 * sorted(spent)[len(spent) // 2])


def _body(mode: str, target: str, number: int) -> bytes:
    stamp = FIRST_TIME + number
    if mode == "metric":
        text = f'{{"run_id":"{target}","key":"loss","value":{number}.25,"timestamp":{stamp},"step":{number}}}'
    else:
        text = f'{{"experiment_id":"{target}","start_time":{stamp},"run_name":"r{number}"}}'
    return text.encode()


class Connection:
    """One kept-alive connection of the asyncio client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader, self._writer, self._host = reader, writer, host

    async def post(self, path: str, body: bytes, content_type: str = "application/json") -> bytes:
        """The answer's body; Refused for another status than 200."""
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: {content_type}\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await self._writer.drain()
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in answer.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        content = await self._reader.readexactly(length)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise Refused(f"POST {path}: {answer[:60]!r} {content[:300]!r}")
        return content

    def close(self) -> None:
        self._writer.close()


Work: TypeAlias = Callable[[Connection, Item], Awaitable[None]]


def share(url: str, items: Iterable[Item], connections: int, work: Work[Item]) -> None:
    """Does ``work`` for every item, each connection taking the next one that waits."""
    waiting = iter(items)
    asyncio.run(_lanes(url, [waiting] * connections, work))


def lanes(url: str, items: Sequence[Iterator[Item]], work: Work[Item]) -> None:
    """Does ``work`` for every item, each connection with items of its own, in their order."""
    asyncio.run(_lanes(url, items, work))


async def _lanes(url: str, items: Sequence[Iterator[Item]], work: Work[Item]) -> None:
    parts = urlsplit(url)

    async def worker(mine: Iterator[Item]) -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**24)
        connection = Connection(reader, writer, parts.netloc)
        try:
            for item in mine:
                await work(connection, item)
        finally:
            connection.close()

    await asyncio.gather(*(worker(mine) for mine in items))
