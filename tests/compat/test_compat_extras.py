"""What rides on tracking, with real MLflow clients: data sets, autologging, system metrics, credentials, ``mlflow``."""

from __future__ import annotations

import json
from typing import Any

import pytest

Seen = dict[str, Any]


@pytest.fixture(scope="module")
def seen(client: Any) -> Seen:
    told: Seen = client.seen("extras.py", f"extras{client.major}")
    return told


def test_data_sets(seen: Seen) -> None:
    names = [name for name, _, _, _ in seen["inputs"]]
    assert names == ["array", "reviews"]
    assert sorted(digest for _, digest, _, _ in seen["inputs"]) == seen["digests"]
    assert seen["inputs"][1][2]["mlflow.data.context"] == "training"
    assert seen["inputs"][1][2]["split"] == "80 %"
    assert "example.org/data.csv" in seen["source"]
    assert seen["found_by_data"]


def test_autologging_of_sklearn(seen: Seen) -> None:
    auto = seen["auto"]
    assert auto["params"]["C"] == "0.5"
    assert float(auto["metrics"]["training_accuracy_score"]) == 1.0
    assert auto["tags"]["estimator_name"] == "LogisticRegression"
    assert auto["status"] == "FINISHED"
    assert "estimator.html" in seen["auto_files"]


def test_system_metrics(seen: Seen) -> None:
    assert {"system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"} <= set(seen["system"])
    assert seen["system_points"] >= 2
    assert seen["no_system"] == []


def test_credentials_do_no_harm(seen: Seen) -> None:
    assert seen["token"] is None


def test_the_command_line(seen: Seen, client: Any) -> None:
    for name, (code, output) in seen["cli"].items():
        assert code == 0, (name, output)
    assert f"extras{client.major}" in seen["cli"]["search"][1]
    assert "Default" in seen["cli"]["search"][1]
    assert seen["auto"]["id"] in seen["cli"]["runs"][1]
    described = json.loads(seen["cli"]["describe"][1][seen["cli"]["describe"][1].index("{") :])
    assert described["data"]["params"]["C"] == "0.5"
    assert "estimator.html" in seen["cli"]["artifacts"][1]


def test_the_command_as_users_call_it(seen: Seen, client: Any) -> None:
    output = client.run("-m", "mlflow", "experiments", "search", "--view", "all")
    assert f"extras{client.major} renamed" in output
