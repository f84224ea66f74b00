"""A plain HTTP/1.1 client over asyncio: many kept-alive connections, and so little work that the server is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit


def post_all(url: str, bodies: Sequence[bytes], connections: int) -> None:
    """Posts all bodies as JSON over so many connections; any answer but 200 ends the measurement."""
    asyncio.run(_post_all(url, bodies, connections))


async def _post_all(url: str, bodies: Sequence[bytes], connections: int) -> None:
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
    waiting = iter(bodies)

    async def worker() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for body in waiting:
            writer.write(f"{head}{len(body)}\r\n\r\n".encode() + body)
            await _read_answer(reader)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(worker() for _ in range(connections)))


async def _read_answer(reader: asyncio.StreamReader) -> None:
    answer = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in answer.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = await reader.readexactly(length)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"the server answered {answer[:60]!r}: {body[:300]!r}")
