"""Runs, as real MLflow clients start, nest, resume, end, delete and restore them."""

from __future__ import annotations

from typing import Any

import pytest

from support.servers import Server

Seen = dict[str, Any]


@pytest.fixture(scope="module")
def seen(client: Any) -> Seen:
    told: Seen = client.seen("runs.py", f"runs{client.major}")
    return told


def test_a_run_begins(seen: Seen) -> None:
    running = seen["running"]
    assert seen["active_inside"]
    assert seen["start_is_now"]
    assert running["name"] == "first run"
    assert (running["status"], running["stage"], running["end"]) == ("RUNNING", "active", None)
    assert running["uri"] == f"mlflow-artifacts:/{seen['experiment']}/{running['id']}/artifacts"
    wanted = {"phase": "search", "ключ": "ü😀", "mlflow.note.content": "what it is for", "mlflow.runName": "first run"}
    assert wanted.items() <= running["tags"].items()
    assert {"mlflow.user", "mlflow.source.name", "mlflow.source.type"} <= running["tags"].keys()


def test_a_run_ends_and_keeps_what_was_logged(seen: Seen) -> None:
    finished = seen["finished"]
    assert seen["active_outside"]
    assert seen["last"]
    assert finished["status"] == "FINISHED"
    assert finished["end"] >= finished["start"]
    assert finished["params"] == {
        "lr": "0.1",
        "layers/0": "[1, 2]",
        "none": "None",
        "flag": "True",
        "text": "a\nb",
        "empty": "",
        "ключ": "ü",
    }
    assert finished["metrics"] == {"loss": "1.5", "a": "1.0", "b/c": "2.0"}
    assert {"one": "again", "two": "2.5", "three": "None"}.items() <= finished["tags"].items()
    assert "gone" not in finished["tags"]


def test_params_are_written_once(seen: Seen) -> None:
    for name in ("changed_param", "changed_params"):
        assert seen[name]["type"] in ("MlflowException", "RestException"), name
        assert seen[name]["code"] == "INVALID_PARAMETER_VALUE", name
        assert "Changing param values is not allowed" in seen[name]["message"], name
    # The batch that held the conflict wrote nothing.
    assert "other" not in seen["finished"]["params"]


def test_a_run_is_resumed_by_its_id(seen: Seen) -> None:
    assert seen["resumed"]["id"] == seen["finished"]["id"]
    assert seen["resumed"]["status"] == "RUNNING"
    assert seen["finished_again"]["status"] == "FINISHED"
    assert seen["finished_again"]["metrics"]["loss"] == "0.5"
    assert seen["finished_again"]["start"] == seen["finished"]["start"]
    assert seen["finished_again"]["end"] >= seen["finished"]["end"]


def test_runs_nest(seen: Seen) -> None:
    family = seen["family"]
    assert seen["back_in_child"]
    assert seen["not_nested"]["type"] == "Exception"
    assert family["child"]["tags"]["mlflow.parentRunId"] == family["parent"]["id"]
    assert family["grand"]["tags"]["mlflow.parentRunId"] == family["child"]["id"]
    assert family["grand"]["name"]
    assert seen["children"] == ["child", "second child"]
    assert seen["parent_of_child"]


def test_runs_fail_and_are_killed(seen: Seen) -> None:
    assert seen["broken"]["status"] == "FAILED"
    assert seen["killed"]["status"] == "KILLED"
    assert seen["implicit"]


def test_the_client_writes_to_any_run(seen: Seen) -> None:
    created, updated = seen["created"], seen["updated"]
    assert (created["name"], created["start"], created["status"]) == ("by client", 1234, "RUNNING")
    assert created["tags"] == {"from": "client", "mlflow.runName": "by client"}
    assert (updated["name"], updated["status"]) == ("renamed", "SCHEDULED")
    assert updated["params"] == {"p": "v", "bp": "bv"}
    assert updated["metrics"] == {"m": "1.25", "bm": "3.0"}
    assert updated["tags"] == {"from": "client", "bt": "last wins", "mlflow.runName": "renamed"}
    assert seen["renamed_by_tag"]["name"] == "renamed by tag"


def test_a_run_is_terminated(seen: Seen) -> None:
    assert (seen["terminated"]["status"], seen["terminated"]["end"]) == ("FAILED", 5678)
    assert seen["written_after_end"]


def test_delete_and_restore(seen: Seen, server: Server) -> None:
    assert seen["deleted"]["stage"] == "deleted"
    assert seen["deleted_only"]
    assert seen["restored"]["stage"] == "active"
    assert seen["deleted_fluently"] == "deleted"
    answer = server.get("runs/get", run_id=seen["deleted"]["id"])
    assert answer.json()["run"]["info"]["lifecycle_stage"] == "deleted"


def test_a_deleted_run_takes_nothing(seen: Seen) -> None:
    refused = seen["write_to_deleted"]
    for name in ("metric", "param", "tag", "update", "batch"):
        assert refused[name] is not None, name
        assert refused[name]["code"] == "INVALID_PARAMETER_VALUE", name
        assert "deleted" in refused[name]["message"], name
    assert refused["resume"]["type"] == "MlflowException"


def test_missing_runs_and_tags_are_said_to_be_missing(seen: Seen) -> None:
    for name, error in seen["missing"].items():
        assert (error["type"], error["code"]) in (
            ("MlflowException", "RESOURCE_DOES_NOT_EXIST"),
            ("RestException", "RESOURCE_DOES_NOT_EXIST"),
        ), name
    assert seen["delete_missing_tag"]["code"] == "RESOURCE_DOES_NOT_EXIST"
