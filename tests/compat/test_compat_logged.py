"""Logged models, as the real MLflow 3 client uses them."""

from __future__ import annotations

from typing import Any

import pytest

Seen = dict[str, Any]


@pytest.fixture(scope="module")
def seen(newest: Any) -> Seen:
    told: Seen = newest.seen("logged.py", "logged")
    return told


def test_log_model_makes_a_model_of_the_run(seen: Seen) -> None:
    assert seen["outputs"] == seen["ids"]
    python = seen["python"]
    assert (python["name"], python["status"], python["run"]) == ("model", "READY", seen["run"])
    assert python["params"] == {"lr": "0.1", "depth": "2"}
    assert python["metrics"] == [["acc", 0.4, 1, seen["run"]]]
    assert seen["sklearn"]["tags"] == {"kind": "linear"}


def test_search(seen: Seen) -> None:
    search = seen["search"]
    assert search.pop("bad")["code"] == "INVALID_PARAMETER_VALUE"
    assert search == {
        "all": ["linear", "model"],
        "name": ["linear"],
        "metric": ["linear"],
        "param": ["model"],
        "ordered": ["linear", "model"],
        "limit": 1,
    }
    assert seen["frame"] == ["linear", "model"]


def test_tags(seen: Seen) -> None:
    assert seen["tags"] == {"stage": "best"}


def test_a_logged_model_is_registered(seen: Seen) -> None:
    assert seen["registered"] == ["1", seen["run"]]
    assert seen["registered_at_once"] == "1"


def test_every_address_loads_the_model(seen: Seen) -> None:
    assert seen["predictions"] == {
        "python": [3.0, 9.0],
        "run": [3.0, 9.0],
        "sklearn": pytest.approx([2.0, 6.0]),
        "version": pytest.approx([2.0, 6.0]),
        "at once": [3.0, 9.0],
    }
    assert seen["native"] == pytest.approx([4.0])


def test_a_model_without_files(seen: Seen) -> None:
    assert (seen["external"]["name"], seen["external"]["params"]) == ("elsewhere", {"a": "1"})
    assert (seen["pending"], seen["finalized"]) == ("PENDING", "FAILED")
    assert seen["deleted"]["code"] == "RESOURCE_DOES_NOT_EXIST"
