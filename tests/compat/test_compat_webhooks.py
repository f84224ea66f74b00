"""Webhooks of the registry, as the real client of MLflow 3 manages them, and what their receiver is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from compat.conftest import Client, interpreter
from support.servers import Server
from support.sinks import HttpSink, http_sink

SECONDS = 60


@pytest.fixture(scope="module")
def sink() -> Iterator[HttpSink]:
    with http_sink() as made:
        yield made


@pytest.fixture(scope="module")
def seen(sink: HttpSink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("server")
    allowed = {"LOGBUCH_WEBHOOK_HOSTS": f"127.0.0.1:{sink.port}", "LOGBUCH_WEBHOOK_PRIVATE": "true"}
    server = Server(folder, f"sqlite:///{folder}/logbuch.db", settings=allowed).start()
    client = Client(3, interpreter(3), server, tmp_path_factory.mktemp("mlflow3"))
    told = client.seen("webhooks.py", sink.url, "http://127.0.0.1:1/hook")
    deadline = time.monotonic() + SECONDS
    while len(sink.got) < 9 and time.monotonic() < deadline:  # two trials, six changes, and one of them unsigned
        time.sleep(0.05)
    yield told
    server.stop()


def test_they_are_made_changed_and_removed(seen: dict[str, Any], sink: HttpSink) -> None:
    made = seen["made"]
    assert seen["got"] == made
    assert (made["name"], made["url"], made["description"]) == ("all", sink.url, "everything")
    assert (made["status"], len(made["events"])) == ("ACTIVE", 6)
    assert seen["off"]["status"] == "DISABLED"
    assert seen["listed"] == ["all", "unsigned", "off", "gone"]
    assert seen["pages"] == [2, 2]
    changed = seen["changed"]
    assert (changed["name"], changed["events"], changed["status"]) == ("renamed", ["model_version_tag.set"], "ACTIVE")
    assert seen["unsigned"]["url"] == f"{sink.url}/unsigned?…"
    assert seen["left"] == ["all", "unsigned", "renamed"]


def test_trials_say_what_was_answered_but_not_its_body(seen: dict[str, Any]) -> None:
    assert seen["tried"] == [True, 200, None, None]
    assert seen["tried_named"] is True


def test_the_receiver_is_told_in_mlflows_form(seen: dict[str, Any], sink: HttpSink) -> None:
    version = {"name": "hooked", "version": "1"}
    source = {"source": f"runs:/{seen['run']}/model", "run_id": seen["run"], "tags": {}, "description": None}
    expected = {
        ("registered_model", "created"): {"name": "hooked", "tags": {"team": "text"}, "description": "tells stories"},
        ("model_version", "created"): version | source,
        ("model_version_tag", "set"): version | {"key": "quality", "value": "good"},
        ("model_version_tag", "deleted"): version | {"key": "quality"},
        ("model_version_alias", "created"): version | {"alias": "champion"},
        ("model_version_alias", "deleted"): {"name": "hooked", "alias": "champion"},
    }
    bodies = [json.loads(body) for path, _, body in sink.got if path == "/hook"]
    told = {(one["entity"], one["action"]): one["data"] for one in bodies if one["data"]["name"] == "hooked"}
    assert told == expected
    assert len(bodies) == 8


def test_messages_are_signed_as_mlflow_signs_them(seen: dict[str, Any], sink: HttpSink) -> None:
    numbers = set()
    for path, headers, body in sink.got:
        number, moment = headers["X-MLflow-Delivery-Id"], headers["X-MLflow-Timestamp"]
        numbers.add(number)
        if path == "/hook":
            signed = f"{number}.{moment}.".encode() + body
            digest = hmac.new(b"geheim", signed, hashlib.sha256).digest()
            assert headers["X-MLflow-Signature"] == "v1," + base64.b64encode(digest).decode()
        else:
            assert path == "/hook/unsigned?token=abc"
            assert "X-MLflow-Signature" not in headers
    assert len(numbers) == len(sink.got) == 9


def test_errors_are_told_at_once(seen: dict[str, Any]) -> None:
    errors = seen["errors"]
    assert errors["forbidden"]["code"] == errors["moved"]["code"] == "INVALID_PARAMETER_VALUE"
    assert "webhook_hosts does not name" in errors["forbidden"]["message"]
    assert "There is no event 'prompt.created'" in errors["prompts"]["message"]
    assert errors["gone"]["code"] == errors["no_number"]["code"] == "RESOURCE_DOES_NOT_EXIST"
