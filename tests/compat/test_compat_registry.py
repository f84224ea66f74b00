"""The model registry, as real MLflow clients use it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from support.servers import Server

Seen = dict[str, Any]


@pytest.fixture(scope="module")
def prefix(client: Any) -> str:
    return f"reg{client.major}"


@pytest.fixture(scope="module")
def seen(client: Any, prefix: str) -> Seen:
    told: Seen = client.seen("registry.py", prefix)
    return told


def test_the_seeds_register_a_runs_model(seen: Seen, prefix: str) -> None:
    first = seen["registered"]
    assert (first["name"], first["version"], first["stage"]) == (f"{prefix} storyteller-production", "1", "None")
    assert first["run"] == seen["run"]
    assert first["status"] == "READY"
    assert seen["again"]["version"] == "2"
    assert seen["new_name"]["version"] == "1"


def test_aliases_stages_and_tags(seen: Seen) -> None:
    assert seen["model"] == {
        "description": "the model that serves",
        "tags": {"team": "a"},
        "aliases": {"champion": "2"},
        "latest": {"Archived": "1", "Production": "2"},
    }
    assert (seen["first"]["tags"], seen["first"]["description"]) == ({"quality": "good"}, "first")
    assert (seen["champion"]["version"], seen["champion"]["aliases"]) == ("2", ["champion"])
    assert seen["latest_production"] == ["2"]
    assert (seen["copied"]["version"], seen["copied"]["run"]) == ("1", seen["run"])


def test_every_address_loads_the_model(seen: Seen) -> None:
    assert len(seen["predictions"]) >= 6
    for uri, predictions in seen["predictions"].items():
        assert predictions == [2, 4], uri


def test_search(seen: Seen, prefix: str) -> None:
    names = [f"{prefix} by itself", f"{prefix} copy", f"{prefix} storyteller-production"]
    assert seen["models"] == names
    assert seen["models_back"] == names[:0:-1]
    assert seen["pages"] == [2, 1]
    assert seen["versions"] == ["1", "2"]
    assert seen["of_run"] == 4
    assert seen["fluent"] == 3


def test_errors_have_mlflows_types_and_codes(seen: Seen) -> None:
    for name, code, status in (
        ("taken", "RESOURCE_ALREADY_EXISTS", 400),
        ("nobody", "RESOURCE_DOES_NOT_EXIST", 404),
        ("no_version", "RESOURCE_DOES_NOT_EXIST", 404),
        ("no_alias", "INVALID_PARAMETER_VALUE", 400),
        ("bad_alias", "INVALID_PARAMETER_VALUE", 400),
        ("bad_stage", "INVALID_PARAMETER_VALUE", 400),
        ("bad_name", "INVALID_PARAMETER_VALUE", 400),
        ("bad_source", "INVALID_PARAMETER_VALUE", 400),
        ("bad_filter", "INVALID_PARAMETER_VALUE", 400),
    ):
        told = seen["errors"][name]
        assert told is not None, name
        assert (told["code"], told["status"]) == (code, status), (name, told)


def test_deleted_numbers_are_not_given_again(seen: Seen) -> None:
    assert seen["third"] == "3"
    assert seen["renamed"] == ["1", "3"]
    assert seen["deleted"]["code"] == "RESOURCE_DOES_NOT_EXIST"


def test_the_trail_tells_what_the_client_did(seen: Seen, server: Server, prefix: str) -> None:
    url = server.url + "/api/logbuch/1/registry/audit"
    entries = httpx.get(url, params={"name": f"{prefix} storyteller-production", "version": "1"}).json()["entries"]
    moves = [(one["before"], one["after"]) for one in reversed(entries) if one["action"] == "stage changed"]
    assert moves == [("None", "Staging"), ("Staging", "Production"), ("Production", "Archived")]
