"""The outermost layer: hosts, origins, content types, headers, sizes."""

from __future__ import annotations

import socket

import httpx
import pytest

from logbuch.limits import JSON_BODY_BYTES
from logbuch.server.context import Options
from logbuch.web.security import Hosts
from support.servers import Server

CREATE = "/api/2.0/mlflow/experiments/create"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "10.evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "evil.example:5000",
        "",
        "a b",
        "127.1",
    ],
)
def test_a_foreign_host_is_refused_on_every_path(shared_server: Server, host: str) -> None:
    for path in ("/", "/api/2.0/mlflow/experiments/get?experiment_id=0", "/api/logbuch/1/live", "/assets/x.js"):
        answer = httpx.get(shared_server.url + path, headers={"host": host})
        assert answer.status_code in (400, 403), (path, answer.text)
    assert httpx.get(f"{shared_server.url}/health", headers={"host": host or "x"}).text == "OK"


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "192.168.1.20:5000", "10.0.0.1", socket.gethostname()]
)
def test_own_names_and_numbers_are_accepted(shared_server: Server, host: str) -> None:
    answer = httpx.get(f"{shared_server.url}/api/2.0/mlflow/experiments/get?experiment_id=0", headers={"host": host})
    assert answer.status_code == 200


def test_allowed_hosts_are_exact() -> None:
    hosts = Hosts(Options(allowed_hosts=("box.lan", "gpu:5000")))
    assert hosts.allow("box.lan")
    assert hosts.allow("BOX.lan:1234")
    assert hosts.allow("gpu:5000")
    assert not hosts.allow("gpu:5001")
    assert not hosts.allow("x.box.lan")
    assert Hosts(Options(allowed_hosts=("*",))).allow("anything.example")


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "http://localhost:9999", "https://127.0.0.1.evil.example"]
)
def test_a_foreign_origin_cannot_write(shared_server: Server, origin: str) -> None:
    body = {"name": f"from {origin}"}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = httpx.request(method, shared_server.url + CREATE, json=body, headers={"origin": origin})
        assert answer.status_code == 403
    put = httpx.put(
        f"{shared_server.url}/api/2.0/mlflow-artifacts/artifacts/0/x", content=b"x", headers={"origin": origin}
    )
    assert put.status_code == 403
    assert shared_server.get("experiments/get-by-name", experiment_name=body["name"]).status_code == 404


def test_a_proxy_that_drops_the_port_hears_what_it_has_to_pass_on(shared_server: Server) -> None:
    headers = {"host": "localhost", "origin": "http://localhost:8443"}
    answer = httpx.post(shared_server.url + CREATE, json={"name": "by proxy"}, headers=headers)
    assert answer.status_code == 403
    assert "has to pass on the Host header, with its port" in answer.text
    headers["host"] = "localhost:8443"
    assert httpx.post(shared_server.url + CREATE, json={"name": "by proxy"}, headers=headers).status_code == 200


def test_the_own_page_can_write(shared_server: Server) -> None:
    answer = httpx.post(shared_server.url + CREATE, json={"name": "own page"}, headers={"origin": shared_server.url})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "type_", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
def test_only_json_is_read(shared_server: Server, type_: str | None) -> None:
    request = httpx.Request("POST", shared_server.url + CREATE, content=b'{"name": "plain"}')
    if type_ is not None:
        request.headers["content-type"] = type_
    with httpx.Client() as client:
        answer = client.send(request)
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert "Content-Type" in answer.json()["message"]


def test_every_answer_bears_the_headers(shared_server: Server) -> None:
    for path in ("/", "/health", "/api/2.0/mlflow/experiments/get?experiment_id=0", "/api/nothing"):
        headers = httpx.get(shared_server.url + path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "server" not in headers


def test_a_body_over_the_cap_is_refused(shared_server: Server) -> None:
    def body() -> object:
        yield b'{"name": "'
        for _ in range(JSON_BODY_BYTES // 2**20 + 1):
            yield b"x" * 2**20

    answer = httpx.post(
        shared_server.url + CREATE,
        content=body(),
        headers={"content-type": "application/json"},
        timeout=60,  # type: ignore[arg-type]
    )
    assert answer.status_code == 413


def test_unknown_routes_and_methods(shared_server: Server) -> None:
    unknown = httpx.get(f"{shared_server.url}/api/2.0/mlflow/nothing/here")
    assert (unknown.status_code, unknown.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
    wrong = httpx.get(f"{shared_server.url}/api/2.0/mlflow/runs/create")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    with httpx.Client() as client:
        assert client.options(shared_server.url + CREATE).status_code == 204
        assert client.get(f"{shared_server.url}/health").text == "OK"
    assert httpx.head(f"{shared_server.url}/api/2.0/mlflow/experiments/get?experiment_id=0").status_code == 200
