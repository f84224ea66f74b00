"""The heads of answers, of which the usual ones are made once: they say what uvicorn would say."""

from __future__ import annotations

import asyncio
import http.client
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from unittest.mock import MagicMock
from urllib.parse import urlsplit

import pytest
import uvicorn
from uvicorn.server import ServerState

from logbuch.web import protocol
from support.servers import Server

GET = "/api/2.0/mlflow/experiments/get?experiment_id="


@pytest.fixture
def connection(shared_server: Server) -> Iterator[http.client.HTTPConnection]:
    parts = urlsplit(shared_server.url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)) as connection:
        yield connection


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_answers_of_one_connection_have_whole_heads_of_their_own(connection: http.client.HTTPConnection) -> None:
    found = [ask(connection, "GET", GET + id_) for id_ in ("0", "987654", "0", "987654", "0")]
    assert found[0] == found[2] == found[4]
    assert found[1] == found[3]
    assert [status for status, _, _ in found[:2]] == [200, 404]
    for _, headers, body in found:
        assert (headers["content-type"], int(headers["content-length"])) == ("application/json", len(body))
        assert headers["x-content-type-options"] == "nosniff"
        assert "connection" not in headers


def test_who_asks_for_the_end_of_the_connection_is_told_of_it(connection: http.client.HTTPConnection) -> None:
    ask(connection, "GET", GET + "0")
    _, headers, _ = ask(connection, "GET", GET + "0", {"connection": "close"})
    assert headers["connection"] == "close"


def test_a_head_without_a_body(connection: http.client.HTTPConnection) -> None:
    whole = ask(connection, "GET", "/health")
    status, headers, body = ask(connection, "HEAD", "/health")
    assert (status, headers["content-length"], body) == (200, str(len(whole[2])), b"")
    assert ask(connection, "GET", "/health")[2] == whole[2]


LENGTH = (b"content-length", b"2")


def test_a_usual_head_is_text_and_length() -> None:
    assert protocol._head(200, ((b"X-A", b"b"), LENGTH)) == (
        b"HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 2\r\n\r\n",
        2,
    )


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (LENGTH, LENGTH),
        (LENGTH, (b"Connection", b"close")),
        (LENGTH, (b"transfer-encoding", b"chunked")),
        (LENGTH, (b"x-name", b"a\r\nset-cookie: b")),
        (LENGTH, (b"x name", b"a")),
    ],
)
def test_a_head_that_is_not_usual_is_left_to_uvicorn(headers: protocol.Headers) -> None:
    assert protocol._head(200, headers) is None


def test_a_head_that_no_other_answer_bears_is_kept_without_its_own_values() -> None:
    protocol._head.cache_clear()
    for value in (b"1", b"2"):
        headers = ((b"x-a", b"b"), (b"etag", protocol.Fresh(value)), LENGTH)
        assert protocol._parted(200, headers) == (
            b"HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 2\r\netag: " + value + b"\r\n\r\n",
            2,
        )
    assert protocol._head.cache_info().currsize == 1
    assert protocol._parted(200, ((b"etag", protocol.Fresh(b"1")), (b"x name", b"a"))) is None


async def answered(*messages: dict[str, Any]) -> tuple[list[bytes], bytes]:
    """What a bare application's answer is made of: the calls of the system, and the connection's end."""
    written: list[bytes] = []
    got: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    class Kept(protocol.LimitedProtocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            write = transport.write
            wrapped = MagicMock(wraps=transport)
            wrapped.write = lambda data: (written.append(bytes(data)), write(data))[1]
            self.transport = wrapped

    config = uvicorn.Config(app, http=Kept, server_header=False, date_header=False, lifespan="off", access_log=False)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Kept(config, state, {}), "127.0.0.1", 0)
    async with listening:
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        expected = b"".join(message.get("body", b"") for message in messages)
        while not (b"".join(got).endswith(b"\r\n\r\n" + expected)):
            if not (data := await reader.read(1 << 20)):
                break
            got.append(data)
        writer.close()
    return written, b"".join(got)


START = {"type": "http.response.start", "status": 200, "headers": (LENGTH,)}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


def body(content: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


def test_a_head_goes_out_with_the_beginning_of_its_body() -> None:
    assert asyncio.run(answered(START, body(b"ab"))) == ([HEAD + b"ab"], HEAD + b"ab")
    written, got = asyncio.run(answered(START, body(b"a", more=True), body(b"b")))
    assert (written, got) == ([HEAD + b"a", b"b"], HEAD + b"ab")
    written, got = asyncio.run(answered(START, body(b"", more=True), body(b"ab")))
    assert (written, got) == ([HEAD, b"ab"], HEAD + b"ab")


def test_a_long_body_is_not_copied_behind_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_JOINED_BYTES", 1)
    assert asyncio.run(answered(START, body(b"ab"))) == ([HEAD, b"ab"], HEAD + b"ab")


@pytest.mark.parametrize("wrong", [body(b"abc"), body(b"a")])
def test_a_body_that_contradicts_its_head_ends_the_connection(wrong: dict[str, Any]) -> None:
    written, got = asyncio.run(answered(START, wrong))
    assert got in (b"", HEAD + b"a")
    assert b"".join(written) == got


CALM = """
import resource, numpy
from logbuch.server import run
run._calm_allocator()
def work():
    return [numpy.ones(200_000) for _ in range(4)]
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_columns_that_come_and_go_take_no_new_pages() -> None:
    done = subprocess.run([sys.executable, "-c", CALM], capture_output=True, text=True, check=True, timeout=120)
    assert int(done.stdout) < 1000, "each of the 200 columns fills 390 pages, 78,000 in all"
