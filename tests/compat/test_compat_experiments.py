"""Experiments, as real MLflow clients use them."""

from __future__ import annotations

from typing import Any

import pytest

from support.servers import Server

Seen = dict[str, Any]


@pytest.fixture(scope="module")
def prefix(client: Any) -> str:
    return f"compat{client.major}"


@pytest.fixture(scope="module")
def seen(client: Any, prefix: str) -> Seen:
    told: Seen = client.seen("experiments.py", prefix)
    return told


def test_the_right_client_talks_to_the_right_server(seen: Seen, client: Any, server: Server) -> None:
    assert int(seen["version"].split(".")[0]) == client.major
    assert seen["uri"] == server.url


def test_set_experiment_creates_once(seen: Seen, prefix: str) -> None:
    assert seen["set_new"]["name"] == f"{prefix}/set"
    assert seen["set_new"]["stage"] == "active"
    assert seen["set_again"]["id"] == seen["set_new"]["id"] == seen["set_by_id"]["id"]


def test_clients_never_get_a_local_path(seen: Seen) -> None:
    assert seen["set_new"]["location"] == f"mlflow-artifacts:/{seen['set_new']['id']}"


def test_create_and_get(seen: Seen, server: Server) -> None:
    assert seen["by_id"] == seen["by_name"]
    assert seen["by_id"]["id"] == seen["made"]
    assert seen["by_id"]["tags"] == {"team": "a b", "ж": "значение"}
    assert seen["by_id"]["created"] > 0
    assert seen["by_wrong_name"] is None
    assert server.get("experiments/get", experiment_id=seen["made"]).status_code == 200


def test_errors_have_mlflows_types_and_codes(seen: Seen) -> None:
    for name, code, status in (
        ("taken", "RESOURCE_ALREADY_EXISTS", 400),
        ("wrong_id", "RESOURCE_DOES_NOT_EXIST", 404),
        ("empty_name", "INVALID_PARAMETER_VALUE", 400),
        ("outside", "INVALID_PARAMETER_VALUE", 400),
        ("rename_taken", "RESOURCE_ALREADY_EXISTS", 400),
        ("deleted_name_is_taken", "RESOURCE_ALREADY_EXISTS", 400),
        ("run_in_deleted", "INVALID_PARAMETER_VALUE", 400),
        ("bad_filter", "INVALID_PARAMETER_VALUE", 400),
        ("bad_order", "INVALID_PARAMETER_VALUE", 400),
    ):
        assert seen[name] is not None, name
        assert (seen[name]["code"], seen[name]["status"]) == (code, status), (name, seen[name])
        assert seen[name]["type"] in ("RestException", "MlflowException"), name
    assert seen["set_deleted"]["type"] == "MlflowException"


def test_tags(seen: Seen, client: Any) -> None:
    assert seen["tagged"]["tags"] == {"team": "c", "ж": "значение", "mlflow.note.content": "# Notes\nwith *marks*"}
    left = {"fluent": "1", "three": "3"} | ({} if client.major == 3 else {"two": "2"})
    assert seen["tagged_fluent"]["tags"] == left


def test_rename_delete_restore(seen: Seen, prefix: str) -> None:
    assert seen["renamed"]["name"] == f"{prefix}/renamed"
    assert seen["deleted"]["stage"] == "deleted"
    assert seen["run_of_deleted"] == "deleted"
    assert seen["restored"]["stage"] == "active"
    assert seen["run_of_restored"] == "active"


def test_search(seen: Seen) -> None:
    assert seen["search"] == {
        "default": ["6", "5", "4", "2", "1", "0"],
        "by_name": ["6", "5", "4", "2", "1", "0"],
        "deleted": ["3"],
        "all": ["0", "1", "2", "3", "4", "5", "6"],
        "tag": ["5"],
        "not_tag": ["0", "1", "2", "4", "6"],
        "ilike": ["0", "1", "2", "4", "5", "6"],
        "limit": ["0", "1"],
        "created": 6,
        "nothing": [],
    }


def test_pages(seen: Seen) -> None:
    assert seen["pages"] == [["0", "1"], ["2", "4"], ["5", "6"]]
