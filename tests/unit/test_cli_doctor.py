"""``logbuch doctor`` asks a server as a training does: with its credentials."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import logbuch
from logbuch.cli.main import cli

BASIC = "Basic " + base64.b64encode(b"ada:geheim").decode()


class _Door(BaseHTTPRequestHandler):
    """A proxy that lets in who knows the password."""

    def do_GET(self) -> None:
        known = self.headers.get("Authorization") in (BASIC, "Bearer t0ken")
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    for name in ("USERNAME", "PASSWORD", "TOKEN", "URI"):
        monkeypatch.delenv(f"LOGBUCH_TRACKING_{name}", raising=False)
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def server_line(address: str) -> str:
    said = CliRunner().invoke(cli, ["doctor", "--tracking-uri", address]).output
    return next(line for line in said.splitlines() if line.split()[1] == "server")


@pytest.mark.parametrize("given", [{"USERNAME": "ada", "PASSWORD": "geheim"}, {"TOKEN": "t0ken"}])
def test_a_server_behind_a_login_is_well(door: str, given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert server_line(door).endswith(
        f"{door} answers 401: it wants credentials, set LOGBUCH_TRACKING_USERNAME and LOGBUCH_TRACKING_PASSWORD, "
        "or LOGBUCH_TRACKING_TOKEN"
    )
    for name, value in given.items():
        monkeypatch.setenv(f"LOGBUCH_TRACKING_{name}", value)
    assert server_line(door) == f"ok    server       {door} answers 200"


def test_credentials_that_are_not_taken_are_said_to_be(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("LOGBUCH_TRACKING_PASSWORD", "guessed")
    refused = "answers 401: it does not take the credentials given, see LOGBUCH_TRACKING_USERNAME"
    assert refused in server_line(door)
    with pytest.raises(logbuch.exceptions.LogbuchError, match="it does not take the credentials given") as caught:
        logbuch.LogbuchClient(door).get_run("0" * 32)
    assert "guessed" not in str(caught.value)
