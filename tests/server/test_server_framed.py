"""HTML and PDF of a run in a frame: an origin of their own, no network."""

from __future__ import annotations

import httpx
import pytest

from support.servers import Server


@pytest.mark.parametrize(
    ("name", "type_", "policy"),
    [
        ("plot.html", "text/html; charset=utf-8", "sandbox allow-scripts; default-src 'none';"),
        ("PLOT.HTM", "text/html; charset=utf-8", "sandbox allow-scripts; default-src 'none';"),
        ("paper.pdf", "application/pdf", "default-src 'none';"),
    ],
)
def test_pages_are_shown_as_what_they_are(shared_server: Server, name: str, type_: str, policy: str) -> None:
    run_id = shared_server.new_run()
    url = f"{shared_server.url}/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/{name}"
    assert httpx.put(url, content=b"content").status_code == 200
    answer = httpx.get(f"{shared_server.url}/show-artifact", params={"run_id": run_id, "path": name})
    assert answer.content == b"content"
    assert answer.headers["content-type"] == type_
    assert answer.headers["content-disposition"] == "inline"
    assert answer.headers["content-security-policy"].startswith(policy)
    assert "allow-same-origin" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["a.svg", "a.js", "html", "../x.html"])
def test_nothing_else_is(shared_server: Server, path: str) -> None:
    answer = httpx.get(f"{shared_server.url}/show-artifact", params={"run_id": shared_server.new_run(), "path": path})
    assert answer.status_code == 400, answer.text


def test_what_is_not_there_is_said(shared_server: Server) -> None:
    answer = httpx.get(
        f"{shared_server.url}/show-artifact", params={"run_id": shared_server.new_run(), "path": "a.html"}
    )
    assert answer.status_code == 404
