"""The HTTP backend against a scripted server: what goes over the wire, what is repeated, which errors come back."""

from __future__ import annotations

import json
import math
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import logbuch
from logbuch.errors import (
    AlreadyExists,
    EndpointNotFound,
    InvalidFilter,
    InvalidInput,
    LogbuchError,
    NotFound,
    PermissionDenied,
    TooLarge,
    Unavailable,
)
from logbuch.model import Dataset, DatasetInput, Metric, Param, Run, RunInfo, RunStatus, Tag, ViewType
from logbuch.sdk.backends import transport
from logbuch.sdk.backends.backend import Batch
from logbuch.sdk.backends.http import HttpBackend
from logbuch.sdk.backends.transport import Transport
from logbuch.sdk.connection import connect

RUN = {
    "info": {
        "run_id": "r1",
        "run_uuid": "r1",
        "experiment_id": "3",
        "run_name": "it",
        "status": "RUNNING",
        "start_time": "17",
        "artifact_uri": "mlflow-artifacts:/3/r1/artifacts",
        "lifecycle_stage": "active",
    },
    "data": {
        "metrics": [{"key": "m", "value": "NaN", "timestamp": "5", "step": "2"}],
        "params": [{"key": "p", "value": "1"}, {"key": "empty"}],
        "tags": [{"key": "t", "value": "x"}],
    },
}


class Server:
    """Answers by ``handler`` and remembers the requests."""

    def __init__(self, handler: Callable[[httpx.Request], Any]) -> None:
        self.handler = handler
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.handler(request)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests if request.content]

    def backend(self, uri: str = "http://host:5000/") -> HttpBackend:
        return HttpBackend(uri, httpx.Client(transport=httpx.MockTransport(self)))


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_FIRST_DELAY", 0.001)


def error(status: int, code: str | None = None, message: str = "why", **more: Any) -> httpx.Response:
    return httpx.Response(status, json={"error_code": code, "message": message} | more)


def info(uri: str = "mlflow-artifacts:/3/r1/artifacts") -> RunInfo:
    run = Server(lambda request: {"run": RUN | {"info": RUN["info"] | {"artifact_uri": uri}}}).backend().get_run("r1")  # type: ignore[operator]
    return run.info


def test_a_run_is_read_leniently() -> None:
    run = Server(lambda request: {"run": RUN}).backend().get_run("r1")
    assert (run.info.start_time, run.info.end_time, run.info.status) == (17, None, RunStatus.RUNNING)
    (point,) = run.data.metric_points
    assert math.isnan(point.value)
    assert (point.timestamp, point.step) == (5, 2)
    assert run.data.params == {"p": "1", "empty": ""}
    assert run.inputs.dataset_inputs == ()


def test_log_batch_on_the_wire() -> None:
    server = Server(lambda request: {})
    metrics = [Metric(key="m", value=value, timestamp=5, step=1) for value in (0.1, math.nan, math.inf, -math.inf)]
    batch = Batch("r1", metrics, [Param(key="p", value="1")], [Tag(key="t", value="x")])
    assert server.backend().log_batches([batch]) == [None]
    assert str(server.requests[0].url) == "http://host:5000/api/2.0/mlflow/runs/log-batch"
    assert server.requests[0].headers["content-type"] == "application/json"
    assert server.bodies[0]["run_id"] == "r1"
    assert [point["value"] for point in server.bodies[0]["metrics"]] == [0.1, "NaN", "Infinity", "-Infinity"]
    assert server.bodies[0]["params"] == [{"key": "p", "value": "1"}]
    assert server.bodies[0]["tags"] == [{"key": "t", "value": "x"}]


def test_create_run_on_the_wire() -> None:
    server = Server(lambda request: {"run": RUN})
    server.backend().create_run("3", "it", "me", 17, [Tag(key="a", value="b")])
    assert server.bodies == [
        {
            "experiment_id": "3",
            "run_name": "it",
            "user_id": "me",
            "start_time": 17,
            "tags": [{"key": "a", "value": "b"}],
        }
    ]


def test_search_on_the_wire() -> None:
    server = Server(lambda request: {"runs": [RUN], "next_page_token": "next"})
    runs, token = server.backend().search_runs(["1", "2"], "metrics.m > 1", ViewType.ALL, 7, ["start_time"], "tok")
    assert (len(runs), token) == (1, "next")
    assert server.bodies == [
        {
            "experiment_ids": ["1", "2"],
            "filter": "metrics.m > 1",
            "run_view_type": "ALL",
            "max_results": 7,
            "order_by": ["start_time"],
            "page_token": "tok",
        }
    ]
    assert Server(lambda request: {}).backend().search_runs(["1"], "", ViewType.ALL, 7, (), "") == ([], None)


def test_data_sets_on_the_wire() -> None:
    server = Server(lambda request: {})
    dataset = Dataset(name="d", digest="1", source_type="local", source="{}", schema="{}")
    server.backend().log_inputs("r1", [DatasetInput(dataset=dataset, tags=(Tag(key="c", value="x"),))])
    described = {"name": "d", "digest": "1", "source_type": "local", "source": "{}", "schema": "{}"}
    assert server.bodies[0]["datasets"] == [{"tags": [{"key": "c", "value": "x"}], "dataset": described}]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(404, "RESOURCE_DOES_NOT_EXIST"), NotFound),
        (error(400, "RESOURCE_ALREADY_EXISTS"), AlreadyExists),
        (error(400, "INVALID_PARAMETER_VALUE"), InvalidInput),
        (error(400, "INVALID_PARAMETER_VALUE", position=3, length=2), InvalidFilter),
        (error(400, "SOMETHING_NEW"), InvalidInput),
        (error(500, "INTERNAL_ERROR"), LogbuchError),
        (error(401), PermissionDenied),
        (httpx.Response(403, text="Invalid Host header"), PermissionDenied),
        (httpx.Response(404, text="<html>"), EndpointNotFound),
        (httpx.Response(413, text="too big"), TooLarge),
        (httpx.Response(503, text="soon"), Unavailable),
        (httpx.Response(200, text="<html>"), LogbuchError),
        (httpx.Response(200, json=[1]), LogbuchError),
        (httpx.Response(302, headers={"location": "https://host/login"}), LogbuchError),
    ],
)
def test_errors_of_the_server(answer: httpx.Response, kind: type[LogbuchError]) -> None:
    with pytest.raises(kind) as caught:
        Server(lambda request: answer).backend().get_run("r1")
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_the_place_of_a_filter_error_arrives() -> None:
    server = Server(lambda request: error(400, "INVALID_PARAMETER_VALUE", position=3, length=2))
    with pytest.raises(InvalidFilter) as caught:
        server.backend().search_runs(["1"], "a ? b", ViewType.ALL, 1, (), "")
    assert (caught.value.position, caught.value.length) == (3, 2)


def fail_once(failure: Exception | httpx.Response) -> Server:
    failures = [failure]

    def handler(request: httpx.Request) -> Any:
        if failures:
            first = failures.pop()
            if isinstance(first, Exception):
                raise first
            return first
        return {"run": RUN, "run_info": RUN["info"]}

    return Server(handler)


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("gone"), error(503)]
)
def test_what_may_be_repeated_is_repeated(failure: Any) -> None:
    server = fail_once(failure)
    assert server.backend().get_run("r1").info.run_id == "r1"
    assert len(server.requests) == 2


@pytest.mark.parametrize(("failure", "sent"), [(httpx.ConnectError("refused"), 2), (httpx.ConnectTimeout("slow"), 2)])
def test_a_new_run_is_repeated_if_nobody_saw_it(failure: Exception, sent: int) -> None:
    server = fail_once(failure)
    server.backend().create_run("3", "", "", 0, ())
    assert len(server.requests) == sent


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("gone"), error(503)])
def test_a_new_run_is_not_repeated_if_the_server_may_have_made_it(failure: Any) -> None:
    server = fail_once(failure)
    with pytest.raises(Unavailable):
        server.backend().create_run("3", "", "", 0, ())
    assert len(server.requests) == 1


def test_without_a_server_a_call_ends_soon_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.3)

    def handler(request: httpx.Request) -> Any:
        raise httpx.ConnectError("[Errno 111] Connection refused")

    begin = time.monotonic()
    with pytest.raises(Unavailable, match=r"^No answer from the tracking server http://host:5000: .*refused$"):
        Server(handler).backend().get_run("r1")
    assert time.monotonic() - begin < transport.QUICK_SECONDS


def test_batches_after_an_outage_keep_their_verdicts() -> None:
    def handler(request: httpx.Request) -> Any:
        run_id = json.loads(request.content)["run_id"]
        return {} if run_id == "a" else error(400, "INVALID_PARAMETER_VALUE") if run_id == "b" else error(503)

    verdicts = Server(handler).backend().log_batches([Batch(name) for name in "abcd"])
    assert [type(verdict) for verdict in verdicts] == [type(None), InvalidInput, Unavailable, Unavailable]
    with pytest.raises(Unavailable):
        Server(handler).backend().log_batches([Batch("c")])


def test_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Transport("https://user:p%40ss@host/prefix/")
    assert connection.uri == "https://host/prefix"
    assert isinstance(connection._client.auth, httpx.BasicAuth)
    connection.close()
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret")
    connection = Transport("http://host")
    assert connection._client.headers["authorization"] == "Bearer secret"
    connection.close()
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
    connection = Transport("http://host")
    assert isinstance(connection._client.auth, httpx.BasicAuth)
    connection.close()


def test_an_address_without_a_host_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="no host"):
        HttpBackend("http:///x")


def test_files_go_through_the_proxy(tmp_path: Path) -> None:
    stored: dict[str, bytes] = {}

    def handler(request: httpx.Request) -> Any:
        path = request.url.raw_path.decode()
        if request.method == "PUT":
            stored[path] = request.content
            return {}
        if request.url.path.endswith("artifacts/list"):
            return {"files": [{"path": "a b#.txt", "is_dir": False, "file_size": "5"}, {"path": "d", "is_dir": True}]}
        return httpx.Response(200, content=stored[path]) if path in stored else httpx.Response(404, text="none")

    server = Server(handler)
    backend = server.backend("http://host/prefix")
    file = tmp_path / "x"
    file.write_bytes(b"hello")
    backend.upload(info(), "a b#.txt", file)
    assert list(stored) == ["/prefix/api/2.0/mlflow-artifacts/artifacts/3/r1/artifacts/a%20b%23.txt"]
    assert server.requests[0].headers["content-length"] == "5"
    assert "transfer-encoding" not in server.requests[0].headers
    assert server.requests[0].headers["content-type"] == "text/plain"
    assert b"".join(backend.download(info(), "a b#.txt")) == b"hello"
    assert [(f.path, f.is_dir, f.file_size) for f in backend.list_artifacts(info(), "")] == [
        ("a b#.txt", False, 5),
        ("d", True, None),
    ]
    with pytest.raises(NotFound):
        backend.download(info(), "none")
    assert backend.artifact_uri(info(), "x") == "mlflow-artifacts:/3/r1/artifacts/x"


def test_a_server_that_keeps_files_elsewhere_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="serve-artifacts"):
        Server(lambda request: {}).backend().upload(info("/var/files/3/r1/artifacts"), "a", tmp_path)


def test_listing_follows_pages() -> None:
    pages = {None: {"files": [{"path": "a"}], "next_page_token": "2"}, "2": {"files": [{"path": "b"}]}}
    backend = Server(lambda request: pages[request.url.params.get("page_token")]).backend()
    assert [file.path for file in backend.list_artifacts(info(), "")] == ["a", "b"]


@pytest.mark.parametrize(
    "answer", [httpx.Response(404), httpx.Response(204), httpx.Response(200, text=""), httpx.Response(200, text="<p>")]
)
def test_a_server_that_knows_nothing_is_not_taken_for_mlflows(answer: httpx.Response) -> None:
    with pytest.raises(LogbuchError, match="is no tracking server") as caught:
        Server(lambda _: answer).backend().greet([("j", 0)])
    assert type(caught.value) is LogbuchError  # which is tried again


@pytest.mark.parametrize("of_default", [{"experiment": {"experiment_id": "0"}}, error(404, "RESOURCE_DOES_NOT_EXIST")])
def test_a_server_that_knows_experiments_and_no_journals_is_mlflows(of_default: Any) -> None:
    def handler(request: httpx.Request) -> Any:
        return of_default if "experiments/get" in request.url.path else httpx.Response(404)

    with pytest.raises(EndpointNotFound):
        Server(handler).backend().greet([("j", 0)])


def test_the_address_of_a_runs_page() -> None:
    ours = Server(lambda request: {"version": "1", "login": False}).backend()
    assert ours.run_url(info()) == "http://host:5000/e/3/runs/r1"
    mlflows = Server(lambda request: httpx.Response(404, text="<html>")).backend()
    assert mlflows.run_url(info()) == "http://host:5000/#/experiments/3/runs/r1"


def test_small_calls_on_the_wire() -> None:
    server = Server(
        lambda request: {"experiment_id": 4, "experiment": {"experiment_id": "4", "name": "e"}, "run_info": RUN["info"]}
    )
    backend = server.backend()
    assert backend.create_experiment("e", "", ()) == "4"
    assert backend.get_experiment_by_name("e").name == "e"
    backend.update_run("r1", RunStatus.FINISHED, 99, "new")
    backend.rename_experiment("4", "f")
    backend.set_experiment_tag("4", Tag(key="k", value="v"))
    backend.delete_tag("r1", "t")
    assert server.bodies == [
        {"name": "e", "tags": []},
        {"run_id": "r1", "run_uuid": "r1", "status": "FINISHED", "end_time": 99, "run_name": "new"},
        {"experiment_id": "4", "new_name": "f"},
        {"experiment_id": "4", "key": "k", "value": "v"},
        {"run_id": "r1", "key": "t"},
    ]


# -- a server that does not answer -------------------------------------------------------------------------------------


@pytest.fixture
def frozen() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def took(call: Callable[[], object]) -> float:
    begin = time.monotonic()
    with pytest.raises(Unavailable):
        call()
    return time.monotonic() - begin


def test_after_silence_calls_are_hasty(frozen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "HASTY_SECONDS", 0.3)
    connection = Transport(frozen)
    slow = took(lambda: connection.call("GET", "/", seconds=4.0))
    assert slow > 2
    assert connection.silent
    assert took(lambda: connection.call("GET", "/", seconds=4.0)) < slow - 1
    assert took(lambda: connection.call("GET", "/", seconds=60.0)) < 30
    assert took(lambda: connection.call("GET", "/", seconds=1.0, hasty=False)) > 0.6  # the sender has time
    monkeypatch.setattr(connection, "_silent_until", 0.0)
    assert took(lambda: connection.call("GET", "/", seconds=1.0)) > 0.6
    connection.close()


def test_an_answer_ends_the_haste() -> None:
    connection = Transport("http://host", httpx.Client(transport=httpx.MockTransport(lambda request: error(400))))
    connection._silent_until = time.monotonic() + 100
    with pytest.raises(InvalidInput):
        connection.call("GET", "/")
    assert not connection.silent


def test_a_refusal_for_now_is_no_silence() -> None:
    backend = Server(lambda request: error(503)).backend()
    with pytest.raises(Unavailable):
        backend.get_run("r1")
    assert not backend.silent


def test_calls_to_a_frozen_server_end_in_time(frozen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "QUICK_SECONDS", 1.0)
    monkeypatch.setattr(transport, "HASTY_SECONDS", 0.3)
    monkeypatch.setattr("logbuch.sdk.connection.READ_SECONDS", 0.5)
    logbuch.set_tracking_uri(frozen)
    found = connect()
    writer = found.adopt(Run(info=info()))
    for number in range(100):
        writer.metric("m", float(number), number)
    client = logbuch.LogbuchClient()
    for _ in range(2):
        assert took(lambda: client.get_run("r1")) < 20  # the half second of the flush and one call
    begin = time.monotonic()
    assert not found.sender.flush(1.0, patient=True)
    assert time.monotonic() - begin < 20  # not the minute that an answer may take


def test_a_long_question_is_not_asked_of_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "QUICK_SECONDS", 0.3)
    asked: list[str] = []
    there = False

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if not there:
            raise httpx.ReadTimeout("timed out")
        return httpx.Response(200, json={"runs": []})

    backend = HttpBackend("http://tracker:5000", httpx.Client(transport=httpx.MockTransport(handle)))
    with pytest.raises(Unavailable, match="No answer from the tracking server"):
        backend.search_runs(["0"], "", ViewType.ACTIVE_ONLY, 10, (), "")
    assert set(asked) == {"/health"}
    there = True
    asked.clear()
    for _ in range(2):
        assert backend.search_runs(["0"], "", ViewType.ACTIVE_ONLY, 10, (), "") == ([], None)
    assert asked == ["/health", "/api/2.0/mlflow/runs/search", "/api/2.0/mlflow/runs/search"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:9"), ("HTTP_PROXY", "gopher://[::bad"), ("https_proxy", "http://\udcff")],
)
def test_a_proxy_that_cannot_be_used_ends_no_training(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"], name: value})
    HttpBackend("http://host:5000").close()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("logbuch: a proxy that the environment names cannot be used, so http://host:5000 is reached")


@pytest.mark.parametrize("address", ["http://127.0.0.1:5000", "http://localhost:5000", "http://[::1]:5000"])
def test_a_server_on_this_machine_is_reached_without_proxy(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("ALL_PROXY", "http://proxy:3128")
    for uri, straight in ((address, True), ("http://host:5000", False)):
        backend: Any = HttpBackend(uri)
        client = backend._transport._client
        assert (client._transport_for_url(httpx.URL(f"{uri}/health")) is client._transport) == straight
        backend.close()
