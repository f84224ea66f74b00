"""The heads of answers, of which the usual ones are made once: they say what uvicorn would say."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

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
