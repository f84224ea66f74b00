"""Native ingest over HTTP: the handshake, batches, refusals, and what is turned away at the door."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from logbuch import limits
from logbuch.version import __version__
from logbuch.wire import ingest
from support.servers import Server

TYPE = {"content-type": ingest.CONTENT_TYPE}
ATTACH = ingest.encode_record(ingest.Attach("none"))


def new_id() -> str:
    return uuid.uuid4().hex


def body(journal: str, *records: Any, first: int = 1, before: bytes = b"", version: int = 1) -> bytes:
    chain, entries = before, []
    for record in records:
        raw = ingest.encode_record(record)
        chain = ingest.link(chain, raw)
        entries.append((1, chain, raw))
    return ingest.encode_batch(journal, first, before, entries, version)


def send(server: Server, content: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{server.url}/api/logbuch/1/ingest", content=content, headers=TYPE | named, timeout=60)


def hello(server: Server, *journals: str, acknowledged: int = 0) -> dict[str, Any]:
    known = [{"journal": journal, "acknowledged": acknowledged} for journal in journals]
    answer = server.native("ingest/hello", {"journals": known})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def points(run_id: str, count: int, keys: int = 20) -> ingest.Metrics:
    gathered = ingest.Points(run_id)
    for number in range(count):
        gathered.add(f"m{number % keys}", number // keys, number, number / 3)
    return gathered.record()


def test_the_handshake_says_what_the_server_takes(shared_server: Server) -> None:
    found = hello(shared_server)
    info = httpx.get(f"{shared_server.url}/api/logbuch/1/server-info").json()
    assert (found["store_id"], found["server_version"]) == (info["store_id"], __version__)
    assert (found["versions"], found["encodings"], found["journals"]) == ([1], ["gzip"], [])
    assert found["kinds"] == list(ingest.KINDS)
    assert found["limits"]["body_bytes"] == limits.INGEST_BODY_BYTES
    assert found["limits"]["records"] == limits.INGEST_RECORDS


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_journal_is_taken_and_its_position_survives_a_kill(
    make_server: Callable[..., Server], request: pytest.FixtureRequest, database: str
) -> None:
    server = make_server(request.getfixturevalue(f"{database}_uri"))
    journal, run_id = new_id(), new_id()
    assert hello(server, journal)["journals"] == [
        {"journal": journal, "sequence": 0, "chain": "", "refused": [], "more": False}
    ]
    records = [
        ingest.NewExperiment("native"),
        ingest.NewRun(run_id, "native"),
        ingest.Params(run_id, [("lr", "1")]),
        ingest.Params(run_id, [("lr", "2")]),
        points(run_id, 10_000),
    ]
    whole = body(journal, *records)
    answer = send(server, ingest.compress(whole), content_encoding="gzip")
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert receipt["sequence"] == 5
    assert [(one["sequence"], one["run_id"], one["error_code"]) for one in receipt["refused"]] == [
        (4, run_id, "INVALID_PARAMETER_VALUE")
    ]
    server.kill()
    server.start()
    position = hello(server, journal)["journals"][0]
    assert position == {"journal": journal, "more": False} | receipt
    assert hello(server, journal, acknowledged=4)["journals"][0]["refused"] == []
    assert send(server, whole).json() == receipt
    listed = httpx.get(f"{server.url}/api/logbuch/1/runs/refusals", params={"run_id": run_id}).json()
    assert listed == {"total": 1, "refusals": receipt["refused"]}
    run = server.get("runs/get", run_id=run_id).json()["run"]
    assert run["data"]["params"] == [{"key": "lr", "value": "1"}]
    history = server.get("metrics/get-history", run_id=run_id, metric_key="m7").json()["metrics"]
    assert [point["value"] for point in history] == [number / 3 for number in range(7, 10_000, 20)]


def test_a_diverged_copy_and_a_gap_are_told_where_the_journal_stands(shared_server: Server) -> None:
    journal = new_id()
    receipt = send(shared_server, body(journal, ingest.Attach("a"), ingest.Attach("b"))).json()
    other = send(shared_server, body(journal, ingest.Attach("a"), ingest.Attach("c")))
    gap = send(shared_server, body(journal, ingest.Attach("d"), first=4, before=b"x"))
    for answer, code in ((other, "JOURNAL_DIVERGED"), (gap, "JOURNAL_OUT_OF_STEP")):
        assert answer.status_code == 409
        problem = answer.json()
        assert problem["error_code"] == code
        assert (problem["sequence"], problem["chain"]) == (2, receipt["chain"])


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "text/plain", "application/octet-stream", "application/msgpack", ""]
)
def test_only_the_own_content_type_is_taken(shared_server: Server, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    url = f"{shared_server.url}/api/logbuch/1/ingest"
    answer = httpx.post(url, content=body(new_id(), ingest.Attach("a")), headers=headers)
    assert answer.status_code == 400
    assert ingest.CONTENT_TYPE in answer.json()["message"]


def test_a_page_of_another_origin_cannot_send_a_batch(shared_server: Server) -> None:
    journal = new_id()
    answer = send(shared_server, body(journal, ingest.Attach("a")), origin="http://evil.example")
    assert answer.status_code == 403
    assert hello(shared_server, journal)["journals"][0]["sequence"] == 0


def test_parameters_of_the_content_type_do_not_matter(shared_server: Server) -> None:
    answer = send(shared_server, body(new_id(), ingest.Attach("a")), content_type=f"{ingest.CONTENT_TYPE}; v=1")
    assert answer.status_code == 200


@pytest.mark.parametrize("encoding", ["zstd", "br", "deflate", "gzip, gzip"])
def test_another_encoding_is_refused(shared_server: Server, encoding: str) -> None:
    answer = send(shared_server, body(new_id(), ingest.Attach("a")), content_encoding=encoding)
    assert (answer.status_code, "gzip" in answer.json()["message"]) == (400, True)


def test_a_bomb_and_a_large_body_are_cut_off(shared_server: Server) -> None:
    bomb = ingest.compress(bytes(200 * 1024 * 1024))
    assert len(bomb) < 1024 * 1024
    for answer in (
        send(shared_server, bomb, content_encoding="gzip"),
        send(shared_server, bytes(limits.INGEST_BODY_BYTES + 1)),
    ):
        assert answer.status_code == 413
        assert str(limits.INGEST_BODY_BYTES) in answer.json()["message"]


@pytest.mark.parametrize("version", [0, 2])
def test_another_version_is_refused_by_name(shared_server: Server, version: int) -> None:
    answer = send(shared_server, body(new_id(), ingest.Attach("a"), version=version))
    assert answer.status_code == 400
    assert f"Version {version} " in answer.json()["message"]


def test_what_is_no_batch_is_a_bad_request(shared_server: Server) -> None:
    whole = body(new_id(), points(new_id(), 20_000))
    for content in (b"", b"\x00", b"{}", whole[:-1], whole + b"x", whole[: len(whole) // 2], b"\xdd\xff\xff\xff\xff"):
        assert send(shared_server, content).status_code == 400
        assert send(shared_server, content, content_encoding="gzip").status_code == 400
    assert "Traceback" not in shared_server.log()


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        ({"journals": [{"journal": "x"}]}, "'journal'"),
        ({"journals": [{"journal": "A" * 32}]}, "'journal'"),
        ({"journals": [{}]}, "journal"),
        ({"journals": "x"}, "journals"),
        ({"journals": [{"journal": "a" * 32, "acknowledged": 2**63}]}, "'acknowledged'"),
        ({"journals": [{"journal": "a" * 32}] * (limits.INGEST_JOURNALS + 1)}, "'journals'"),
    ],
)
def test_a_bad_handshake_names_its_field(shared_server: Server, request_: dict[str, Any], names: str) -> None:
    answer = shared_server.native("ingest/hello", request_)
    assert answer.status_code == 400
    assert names in answer.json()["message"]


def test_the_handshake_gives_refusals_in_parts(shared_server: Server) -> None:
    journals = [new_id(), new_id()]
    for journal in journals:
        for first, before in ((1, b""), (1001, b"x")):
            entries = [(1, b"x", ATTACH)] * 1000
            assert send(shared_server, ingest.encode_batch(journal, first, before, entries)).status_code == 200
    one, two = hello(shared_server, *journals)["journals"]
    assert (one["sequence"], len(one["refused"]), one["more"]) == (2000, 1000, True)
    assert (two["sequence"], len(two["refused"]), two["more"]) == (2000, 0, True)
    (rest,) = hello(shared_server, journals[0], acknowledged=one["refused"][-1]["sequence"])["journals"]
    assert [item["sequence"] for item in rest["refused"]] == list(range(1001, 2001))
    assert rest["more"] is False
    listed = httpx.get(f"{shared_server.url}/api/logbuch/1/runs/refusals", params={"run_id": "none"}).json()
    assert (listed["total"] >= 4000, len(listed["refusals"])) == (True, limits.REFUSALS_PER_PAGE)


def test_a_sweeps_journals_arrive_side_by_side(shared_server: Server) -> None:
    outcomes: list[Any] = []

    def train(number: int) -> None:
        journal, run_ids = new_id(), [new_id() for _ in range(10)]
        records = [ingest.NewExperiment("sweep"), *(ingest.NewRun(run_id, "sweep") for run_id in run_ids)]
        records += [points(run_id, 2000) for run_id in run_ids]
        answer = send(shared_server, body(journal, *records))
        outcomes.append((answer.status_code, answer.json().get("refused"), run_ids))

    threads = [threading.Thread(target=train, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome[:2] for outcome in outcomes] == [(200, [])] * 8
    experiment = shared_server.get("experiments/get-by-name", experiment_name="sweep").json()["experiment"]
    found = shared_server.post("runs/search", {"experiment_ids": [experiment["experiment_id"]]}).json()["runs"]
    assert {run["info"]["run_id"] for run in found} == {run_id for outcome in outcomes for run_id in outcome[2]}
    assert {len(run["data"]["metrics"]) for run in found} == {20}


def test_the_client_of_the_reference_page_works(shared_server: Server) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "ingest.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    scope: dict[str, Any] = {}
    exec(found[1].replace("http://127.0.0.1:5000", shared_server.url), scope)
    run = shared_server.get("runs/get", run_id=scope["run_id"]).json()["run"]
    assert (run["info"]["run_name"], run["info"]["status"]) == ("first try", "FINISHED")
    assert run["data"]["metrics"][0]["value"] == 1 / 1000
