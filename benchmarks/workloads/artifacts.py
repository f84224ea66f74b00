"""Artifacts through the server: one large file, and many small ones on one connection."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.figures import Figures
from benchmarks.servers import Server
from benchmarks.sizes import Sizes

MIB = 1024 * 1024
SMALL_BYTES = 10 * 1024
REPETITIONS = 3
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PIECE = 64 * 1024
_PLACE = "/api/2.0/mlflow-artifacts/artifacts/0/"


def measure(server: Server, sizes: Sizes) -> Figures:
    """Sends and fetches over raw sockets: the kernel sends the file, and what arrives is only counted."""
    run_id = server.client.new_run("0")
    place = f"{_PLACE}{run_id}/artifacts/"
    idle = server.processes.memory_mb()
    with Peak(server) as peak:
        up, down = _large(server, place, sizes.large_file_bytes)
    sent, fetched = _small(server, place, sizes.small_files)
    return {
        "large file up, MB/s": up,
        "large file down, MB/s": down,
        "large file memory grows by, MB": peak.reached - idle,
        "10 KiB files up, requests/s": sent,
        "10 KiB files down, requests/s": fetched,
    }


def copy(sizes: Sizes) -> Figures:
    """What the machine does by itself: a file sent over loopback, and written down at its other end or dropped."""
    with _file(Path.cwd(), sizes.large_file_bytes) as file:
        kept = max(_copied(file, keep=True) for _ in range(REPETITIONS))
        dropped = max(_copied(file, keep=False) for _ in range(REPETITIONS))
    return {"large file up, MB/s": kept, "large file down, MB/s": dropped}


class Peak:
    """The most memory that a server takes while the block lasts, looked at every 50 ms."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.reached = 0.0

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            self.reached = max(self.reached, self._server.processes.memory_mb())


class _file:  # noqa: N801  reads as what it is: with _file(...)
    """A file of random bytes in a folder, gone at the end."""

    def __init__(self, folder: Path, size: int) -> None:
        self._path, self._size = folder / f"bench-{os.getpid()}.bin", size

    def __enter__(self) -> Path:
        block = os.urandom(4 * MIB)
        with self._path.open("wb") as file:
            for start in range(0, self._size, len(block)):
                file.write(block[: self._size - start])
        return self._path

    def __exit__(self, *error: object) -> None:
        self._path.unlink()


def _large(server: Server, place: str, size: int) -> tuple[float, float]:
    address = urlsplit(server.url)
    host, port = str(address.hostname), int(address.port or 80)
    with _file(server.folder, size) as file:
        up = max(_timed(size, lambda: _put(host, port, place + "large.bin", file)) for _ in range(REPETITIONS))
    down = max(_timed(size, lambda: _get(host, port, place + "large.bin", size)) for _ in range(REPETITIONS))
    return up, down


def _timed(size: int, transfer: Callable[[], None]) -> float:
    begun = time.perf_counter()
    transfer()
    return size / 1e6 / (time.perf_counter() - begun)


def _put(host: str, port: int, path: str, file: Path) -> None:
    with socket.create_connection((host, port)) as raw, file.open("rb") as opened:
        size = file.stat().st_size
        raw.sendall(f"PUT {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {size}\r\n\r\n".encode())
        raw.sendfile(opened)
        answer = raw.recv(65536)
    if b" 200 " not in answer.split(b"\r\n", 1)[0]:
        raise RuntimeError(f"PUT {path}: {answer[:300]!r}")


def _get(host: str, port: int, path: str, size: int) -> None:
    buffer = bytearray(MIB)
    with socket.create_connection((host, port)) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        count = 0
        while taken := raw.recv_into(buffer):
            count += taken
    if count < size:
        raise RuntimeError(f"GET {path}: {count} of {size} bytes")


def measure_bare(server: Server, sizes: Sizes) -> Figures:
    """Small files up to a server that takes them anywhere, and makes no name for them."""
    with Exchange(server.url) as exchange:
        return {"10 KiB files up, requests/s": _sent(exchange, "/", _contents(sizes.small_files))}


def _small(server: Server, place: str, count: int) -> tuple[float, float]:
    """So many files of 10 KiB one after the other on one connection, sent and then fetched."""
    contents = _contents(count)
    with Exchange(server.url) as exchange:
        sent = _sent(exchange, place, contents)
        some = list(_first(range(count), server))
        begun = time.perf_counter()
        for number in some:
            if exchange(exchange.request("GET", f"{place}small/{number}.bin")) != contents[number]:
                raise RuntimeError(f"file {number} came back changed")
        fetched = len(some) / (time.perf_counter() - begun)
    return sent, fetched


def _contents(count: int) -> list[bytes]:
    return [os.urandom(SMALL_BYTES) for _ in range(count)]


def _sent(exchange: Exchange, place: str, contents: Sequence[bytes]) -> float:
    """Files a second."""
    requests = [exchange.request("PUT", f"{place}small/{number}.bin", each) for number, each in enumerate(contents)]
    begun = time.perf_counter()
    for request in requests:
        exchange(request)
    return len(contents) / (time.perf_counter() - begun)


class Exchange:
    """Requests and answers on one connection, with as little of a client as there can be."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._host = address.netloc
        self._raw = socket.create_connection((str(address.hostname), int(address.port or 80)))
        self._raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *error: object) -> None:
        self._raw.close()

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        return f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    def __call__(self, request: bytes) -> bytes:
        """The content of the answer, whose length the server must have said."""
        self._raw.sendall(request)
        answer = self._raw.recv(_PIECE)
        while (end := answer.find(b"\r\n\r\n") + 4) < 4:
            answer += self._more()
        length = _LENGTH.search(answer, 0, end)
        if not answer.startswith(b"HTTP/1.1 200 ") or length is None:
            raise RuntimeError(f"{request[:200]!r}: {answer[:300]!r}")
        while len(answer) < end + int(length[1]):
            answer += self._more()
        return answer[end:]

    def _more(self) -> bytes:
        if not (found := self._raw.recv(_PIECE)):
            raise RuntimeError("the server closed the connection")
        return found


def _first(numbers: range, server: Server) -> Iterator[int]:
    """Fewer of a server that takes 45 ms for each."""
    return iter(numbers if server.kind == "logbuch" else numbers[:200])


def _copied(file: Path, *, keep: bool) -> float:
    """MB/s of a copy over loopback by the kernel's own means, with one write of what arrives where it is kept."""
    target = file.with_suffix(".copy")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_take, args=(listener, target if keep else None))
        thread.start()
        size, begun = file.stat().st_size, time.perf_counter()
        with socket.create_connection(listener.getsockname()) as raw, file.open("rb") as opened:
            raw.sendfile(opened)
        thread.join()
        seconds = time.perf_counter() - begun
    target.unlink(missing_ok=True)
    return size / 1e6 / seconds


def _take(listener: socket.socket, target: Path | None) -> None:
    raw, _ = listener.accept()
    buffer = memoryview(bytearray(MIB))
    with raw, target.open("wb", buffering=0) if target else Path(os.devnull).open("wb", buffering=0) as file:
        while taken := raw.recv_into(buffer):
            file.write(buffer[:taken])
        if target:
            os.fsync(file.fileno())
