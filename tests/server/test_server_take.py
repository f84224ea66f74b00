"""Taking models over on a server: whatever a client sends, it is an error of the client's, or it is there."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from support.servers import Server

MODEL = {"name": "taken", "creation_timestamp": 5, "last_updated_timestamp": 6}

LOGGED = {"model_id": f"m-{'0' * 32}", "experiment_id": "0", "name": "net", "artifact_location": "", "status": "READY"}
LOGGED |= {"creation_timestamp": 5, "last_updated_timestamp": 6}
POINT = {"key": "acc", "value": 1.0, "timestamp": 1, "step": 1, "model_id": LOGGED["model_id"], "run_id": "x"}

VERSION = {"name": "taken", "version": "4", "current_stage": "None", "source": "runs:/nowhere/model"} | MODEL


def take(server: Server, body: Any) -> httpx.Response:
    return httpx.post(server.url + "/api/logbuch/1/registry/take", json=body)


@pytest.mark.parametrize(
    "body",
    [
        {"logged": [{}]},
        {"logged": [{"model": None}]},
        {"logged": [{"model": {"metric_points": [{"value": "x"}]}}]},
        {"experiment_id": "0", "logged": [{"model": LOGGED | {"metric_points": [POINT | {"step": 2**70}]}}]},
        {"experiment_id": "0", "logged": [{"model": LOGGED | {"last_updated_timestamp": 2**70}}]},
        {"experiment_id": "0", "logged": [{"model": LOGGED | {"param_list": [{"key": "", "value": ""}]}}]},
        {"experiment_id": "0", "logged": [{"model": LOGGED | {"name": "a\0b"}}]},
        {"experiment_id": "987654", "logged": [{"model": LOGGED}]},
        {"experiment_id": "0", "logged": [{"model": LOGGED | {"model_id": "a\0b"}}]},
        {"registered": [{"model": MODEL | {"last_updated_timestamp": 2**70}}]},
        {"registered": [{"model": MODEL, "versions": [VERSION | {"version": "9" * 5000}]}]},
        {"registered": [{"model": {"name": 3}}]},
        {"registered": [{"model": MODEL, "last_version": -1}]},
        {"registered": [{"model": MODEL, "last_version": 2**70}]},
        {"registered": [{"model": MODEL | {"name": "a/b"}}]},
        {"registered": [{"model": MODEL | {"creation_timestamp": 2**70}}]},
        {"experiment_id": "x", "logged": []} | {"logged": [{"model": MODEL}]},
    ],
)
def test_what_is_no_model_is_refused(body: Any, shared_server: Server) -> None:
    answer = take(shared_server, body)
    assert answer.status_code in (400, 404), answer.text
    assert answer.json()["message"]


def test_a_version_without_files_here_is_left_out_and_said(shared_server: Server) -> None:
    version = {"name": "taken", "version": "4", "current_stage": "None", "source": "runs:/nowhere/model"}
    version |= {"creation_timestamp": 5, "last_updated_timestamp": 6}
    answer = take(shared_server, {"registered": [{"model": MODEL, "versions": [version], "last_version": 9}]})
    assert answer.status_code == 200, answer.text
    (refused,) = answer.json()["refused"]
    assert refused["what"] == "version 4 of model 'taken'"
    url = shared_server.url + "/api/2.0/mlflow/registered-models/get"
    found = httpx.get(url, params={"name": "taken"}).json()["registered_model"]
    assert (int(found["creation_timestamp"]), int(found["last_updated_timestamp"])) == (5, 6)
    audit = httpx.get(shared_server.url + "/api/logbuch/1/registry/audit", params={"name": "taken"}).json()
    assert "import" in audit["entries"][0]["address"]
