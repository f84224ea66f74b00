"""Console output over HTTP: pages, search, text, and what a client may not ask."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from logbuch.wire import ingest
from support.servers import Server

START = 1_760_000_000_000


@pytest.fixture
def run_id(shared_server: Server) -> str:
    return shared_server.new_run()


def send(server: Server, *records: Any) -> dict[str, Any]:
    chain, entries = b"", []
    for record in records:
        raw = ingest.encode_record(record)
        chain = ingest.link(chain, raw)
        entries.append((1, chain, raw))
    body = ingest.encode_batch(uuid.uuid4().hex, 1, b"", entries)
    answer = httpx.post(
        f"{server.url}/api/logbuch/1/ingest", content=body, headers={"content-type": ingest.CONTENT_TYPE}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def get(server: Server, path: str, **query: Any) -> httpx.Response:
    return httpx.get(f"{server.url}/api/logbuch/1/runs/{path}", params=query, timeout=30)


def log(run_id: str, *texts: str, stream: str = "stdout") -> ingest.Log:
    return ingest.Log(run_id, stream, [START + number for number in range(len(texts))], list(texts))


def test_pages_of_lines(shared_server: Server, run_id: str) -> None:
    send(shared_server, log(run_id, "one", "two"), log(run_id, "three", stream="stderr"))
    page = get(shared_server, "logs", run_id=run_id).json()
    assert page["texts"] == ["one", "two", "three"]
    assert [page["origins"][index]["stream"] for index in page["origin"]] == ["stdout", "stdout", "stderr"]
    assert (page["first"], page["total"], page["kept_from"], page["dropped"], page["open"]) == (1, 3, 1, 0, [])
    assert page["times"] == [START, START + 1, START]
    assert get(shared_server, "logs", run_id=run_id, after=2).json()["texts"] == ["three"]
    earlier = get(shared_server, "logs", run_id=run_id, before=3, limit=1).json()
    assert (earlier["first"], earlier["texts"]) == (2, ["two"])


def test_search_and_text(shared_server: Server, run_id: str) -> None:
    send(
        shared_server,
        log(run_id, "\x1b[32mEpoch\x1b[0m 1", "loss 2"),
        ingest.Log(run_id, "stderr", [], [], "50%", START),
    )
    found = get(shared_server, "logs/search", run_id=run_id, text="epoch 1").json()
    assert (found["numbers"], found["after"]) == ([1], None)
    assert get(shared_server, "logs/search", run_id=run_id, text="epoch", ignore_case=False).json()["numbers"] == []
    text = get(shared_server, "logs.txt", run_id=run_id)
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.headers["content-disposition"].startswith("attachment")
    assert text.text == (
        "2025-10-09T08:53:20.000Z - stdout Epoch 1\n"
        "2025-10-09T08:53:20.001Z - stdout loss 2\n"
        "2025-10-09T08:53:20.000Z - stderr 50%\n"
    )
    assert "\x1b[32m" in get(shared_server, "logs.txt", run_id=run_id, ansi=True).text


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("logs", {"limit": 0}, "limit"),
        ("logs", {"limit": 10_001}, "limit"),
        ("logs", {"after": -1}, "after"),
        ("logs", {"before": 2**63 - 1}, "before"),
        ("logs", {"after": "x"}, "after"),
        ("logs", {"after": 1, "before": 2}, "before"),
        ("logs/search", {"text": ""}, "text"),
        ("logs/search", {"text": "x" * 1001}, "text"),
        ("logs/search", {"text": "x", "after": 2**80}, "after"),
    ],
)
def test_bad_questions_name_the_field(
    shared_server: Server, run_id: str, path: str, query: dict[str, Any], field: str
) -> None:
    answer = get(shared_server, path, run_id=run_id, **query)
    assert answer.status_code == 400
    assert field in answer.json()["message"]


@pytest.mark.parametrize("path", ["logs", "logs/search", "logs.txt"])
def test_an_unknown_run(shared_server: Server, path: str) -> None:
    assert get(shared_server, path, run_id="none", text="x").status_code == 404
    assert get(shared_server, path, text="x").status_code == 400


def test_lines_that_cannot_be_taken_are_refused(shared_server: Server, run_id: str) -> None:
    verdict = send(
        shared_server,
        log(run_id, "x" * 40_000),
        ingest.Log(run_id, "stdout", [1, 2], ["one"]),
        log(run_id, "good"),
    )
    assert [refusal["sequence"] for refusal in verdict["refused"]] == [1, 2]
    assert get(shared_server, "logs", run_id=run_id).json()["texts"] == ["good"]
