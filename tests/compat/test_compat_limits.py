"""Limits of log-batch and the error codes of the REST API, which clients in other languages rely on."""

from __future__ import annotations

from typing import Any

import pytest

from support.servers import Server

INVALID, MISSING = "INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"


def metrics(count: int) -> list[dict[str, Any]]:
    return [{"key": f"m{number}", "value": number, "timestamp": 1, "step": 0} for number in range(count)]


def pairs(count: int, letter: str = "p") -> list[dict[str, Any]]:
    return [{"key": f"{letter}{number}", "value": str(number)} for number in range(count)]


@pytest.mark.parametrize(
    ("sizes", "status"),
    [
        ((1000, 0, 0), 200),
        ((1001, 0, 0), 400),
        ((0, 100, 0), 200),
        ((0, 101, 0), 400),
        ((0, 0, 100), 200),
        ((0, 0, 101), 400),
        ((800, 100, 100), 200),
        ((801, 100, 100), 400),
        ((0, 0, 0), 200),
    ],
)
def test_sizes_of_a_batch(server: Server, sizes: tuple[int, int, int], status: int) -> None:
    body = {"metrics": metrics(sizes[0]), "params": pairs(sizes[1]), "tags": pairs(sizes[2], "t")}
    answer = server.post("runs/log-batch", {"run_id": server.new_run(), **body})
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["error_code"] == INVALID


def test_a_batch_is_written_whole_or_not_at_all(server: Server) -> None:
    run_id = server.new_run()
    server.post("runs/log-parameter", {"run_id": run_id, "key": "lr", "value": "1"})
    body = {"metrics": metrics(3), "params": [*pairs(2), {"key": "lr", "value": "2"}], "tags": pairs(1, "t")}
    answer = server.post("runs/log-batch", {"run_id": run_id, **body})
    assert (answer.status_code, answer.json()["error_code"]) == (400, INVALID)
    data = server.get("runs/get", run_id=run_id).json()["run"]["data"]
    assert data["params"] == [{"key": "lr", "value": "1"}]
    assert "metrics" not in data
    assert [tag["key"] for tag in data["tags"]] == ["mlflow.runName"]


def test_param_keys_of_a_batch_differ(server: Server) -> None:
    twice = [{"key": "a", "value": "1"}, {"key": "a", "value": "1"}]
    run_id = server.new_run()
    assert server.post("runs/log-batch", {"run_id": run_id, "params": twice}).status_code == 400
    assert server.post("runs/log-batch", {"run_id": run_id, "tags": twice}).status_code == 200


def test_long_values_are_cut_as_mlflow_cuts_them(server: Server) -> None:
    run_id = server.new_run()
    for _ in range(2):  # the same long value again is no conflict
        body = {"run_id": run_id, "key": "prompt", "value": "x" * 6500}
        assert server.post("runs/log-parameter", body).status_code == 200
    body = {
        "run_id": run_id,
        "params": [{"key": "config", "value": "ü" * 7000}],
        "tags": [{"key": "note", "value": "y" * 9000}],
    }
    assert server.post("runs/log-batch", body).status_code == 200
    assert server.post("runs/set-tag", {"run_id": run_id, "key": "one", "value": "z" * 8001}).status_code == 200
    data = server.get("runs/get", run_id=run_id).json()["run"]["data"]
    assert {param["key"]: len(param["value"]) for param in data["params"]} == {"prompt": 6000, "config": 6000}
    lengths = {tag["key"]: len(tag["value"]) for tag in data["tags"]}
    assert (lengths["note"], lengths["one"]) == (8000, 8000)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("runs/create", {"experiment_id": "999999"}, 404, MISSING),
        ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}, 400, INVALID),
        (
            "runs/log-metric",
            {"run_id": "nobody", "key": "m", "value": 1, "timestamp": 1},
            404,
            MISSING,
        ),
        ("runs/log-parameter", {"run_id": "nobody", "key": "a", "value": "1"}, 404, MISSING),
        ("runs/update", {"run_id": "nobody", "status": "FINISHED"}, 404, MISSING),
        ("runs/delete", {"run_id": "nobody"}, 404, MISSING),
        ("experiments/create", {"name": "Default"}, 400, "RESOURCE_ALREADY_EXISTS"),
        ("experiments/create", {}, 400, INVALID),
        ("experiments/delete", {"experiment_id": "999999"}, 404, MISSING),
        ("experiments/search", {}, 400, INVALID),
        ("experiments/search", {"max_results": 50_001}, 400, INVALID),
        ("runs/search", {"experiment_ids": ["0"], "max_results": 0}, 400, INVALID),
        ("runs/search", {"experiment_ids": ["0"], "page_token": "x"}, 400, INVALID),
        ("runs/nonsense", {}, 404, "ENDPOINT_NOT_FOUND"),
    ],
)
def test_error_codes(server: Server, path: str, body: dict[str, Any], status: int, code: str) -> None:
    answer = server.post(path, body)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.json()["message"]


def test_headers_of_clients_are_no_trouble(server: Server) -> None:
    for headers in (
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "Bearer token"},
        {"X-MLflow-Client-Version": "3.17.2", "User-Agent": "mlflow-python-client/3.17.2"},
    ):
        assert server.post("experiments/search", {"max_results": 1}, headers=headers).status_code == 200
