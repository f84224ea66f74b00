"""Bare ASGI apps on uvicorn with uvloop and httptools: one reads the body and says yes, the other has it on the disk
before. ``python bare.py PORT [FILE]``."""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvicorn

_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"2")]


async def app(_scope: Any, receive: Any, send: Any) -> None:
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await _answer(send)


async def _answer(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": b"{}"})


class Keeping:
    """What a body on the disk costs at least: its bytes over others that the file holds, and ``fdatasync``, in a
    thread. No name is made for it, and the file system's own journal has nothing to write."""

    SIZE, BLOCK = 16 * 1024 * 1024, 4096

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(self._file, bytes(self.SIZE), 0)
        os.fsync(self._file)
        self._threads = ThreadPoolExecutor(1)
        self._at = 0

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        await asyncio.get_running_loop().run_in_executor(self._threads, self._keep, b"".join(parts))
        await _answer(send)

    def _keep(self, body: bytes) -> None:
        if self._at + len(body) > self.SIZE:
            self._at = 0
        os.pwrite(self._file, body, self._at)
        self._at += -(-len(body) // self.BLOCK) * self.BLOCK
        os.fdatasync(self._file)


if __name__ == "__main__":
    uvicorn.run(
        Keeping(sys.argv[2]) if len(sys.argv) > 2 else app,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
    )
