"""The media of a run over HTTP, as a page asks for it."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from logbuch.wire import ingest
from support.servers import Server

ID = str(uuid.uuid4())


def get(server: Server, path: str, **query: Any) -> httpx.Response:
    return httpx.get(f"{server.url}/api/logbuch/1/runs/{path}", params=query, timeout=30)


def put(server: Server, run_id: str, path: str) -> None:
    url = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/{quote(path)}"
    assert httpx.put(url, content=b"x").status_code == 200


def send(server: Server, *records: Any) -> list[Any]:
    chain, entries = b"", []
    for record in records:
        raw = ingest.encode_record(record)
        chain = ingest.link(chain, raw)
        entries.append((1, chain, raw))
    body = ingest.encode_batch(uuid.uuid4().hex, 1, b"", entries)
    headers = {"content-type": ingest.CONTENT_TYPE}
    answer = httpx.post(f"{server.url}/api/logbuch/1/ingest", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    refused: list[Any] = answer.json()["refused"]
    return refused


@pytest.fixture
def run_id(shared_server: Server) -> str:
    return shared_server.new_run()


def test_a_run_without_media(shared_server: Server, run_id: str) -> None:
    assert get(shared_server, "media", run_id=run_id).json() == {"media": []}


def test_series_by_kind_and_key(shared_server: Server, run_id: str) -> None:
    for path in (
        f"images/eval~faces+step+10+timestamp+5+{ID}.png",
        f"images/eval~faces+step+10+timestamp+5+{ID}+compressed.webp",
        f"images/eval~faces+step+2+timestamp+9+{ID}.png",
        f"images/old#key%step%1%timestamp%3%{ID}.png",
        "images/of-a-table.png",
        f"media/audio/voice+step+-1+timestamp+4+{ID}.wav",
        f"media/pr-curve/pr_curve+step+1+timestamp+4+{ID}.json",
        f"media/unknown/x+step+1+timestamp+4+{ID}.json",
        f"images/far+step+99999999999999999999+timestamp+4+{ID}.png",
    ):
        put(shared_server, run_id, path)
    send(shared_server, *(ingest.histogram(run_id, "grad/w", step, 7, [0, 1], [2], 0, 0) for step in (3, 1)))
    found = get(shared_server, "media", run_id=run_id).json()["media"]
    assert [(one["kind"], one["key"], one["steps"]) for one in found] == [
        ("audio", "voice", [-1]),
        ("histogram", "grad/w", [1, 3]),
        ("image", "eval/faces", [2, 10]),
        ("image", "old/key", [1]),
        ("pr-curve", "pr_curve", [1]),
    ]
    faces = found[2]
    assert faces["timestamps"] == [9, 5]
    assert faces["paths"][1] == f"images/eval~faces+step+10+timestamp+5+{ID}.png"
    assert faces["thumbnails"] == [None, f"images/eval~faces+step+10+timestamp+5+{ID}+compressed.webp"]
    assert found[1]["paths"] == [None, None]


def test_histograms_in_columns(shared_server: Server, run_id: str) -> None:
    refused = send(
        shared_server,
        *(ingest.histogram(run_id, "w", step, 100 + step, [0, 0.5, 1], [step, 2], 1, 2) for step in range(5)),
        ingest.histogram(run_id, "w", 9, 0, [1, 0], [1], 0, 0),
        ingest.histogram("none", "w", 9, 0, [0, 1], [1], 0, 0),
    )
    assert [one["error_code"] for one in refused] == ["INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"]
    found = get(shared_server, "histograms", run_id=run_id, key="w", limit=3).json()
    assert found == {
        "key": "w",
        "total": 5,
        "steps": [0, 2, 4],
        "timestamps": [100, 102, 104],
        "edges": [[0.0, 0.5, 1.0]] * 3,
        "counts": [[0.0, 2.0], [2.0, 2.0], [4.0, 2.0]],
        "nan": [1, 1, 1],
        "infinite": [2, 2, 2],
    }
    assert get(shared_server, "histograms", run_id=run_id, key="none").json()["total"] == 0


@pytest.mark.parametrize("limit", [0, 1001, "x"])
def test_bad_questions(shared_server: Server, run_id: str, limit: Any) -> None:
    answer = get(shared_server, "histograms", run_id=run_id, key="w", limit=limit)
    assert (answer.status_code, "limit" in answer.text) == (400, True)


def test_an_unknown_run(shared_server: Server) -> None:
    assert get(shared_server, "media", run_id="none").status_code == 404
    assert get(shared_server, "histograms", run_id="none", key="w").status_code == 404
    assert get(shared_server, "media").status_code == 400
