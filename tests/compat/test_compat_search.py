"""Searching runs with real MLflow clients: what they find, in which order, page by page."""

from __future__ import annotations

from typing import Any

import pytest

Seen = dict[str, Any]

# Runs 0 to 6 are active. Their losses: NaN, +Inf, -Inf, 1.5, 0.5, -2, 0; val/loss: run 1 0.25, run 3 0.75, run 5 1.25.
FOUND = {
    "": "0123456",
    "metrics.loss < 2.0": "23456",
    "metrics.loss >= 0": "1346",
    "metrics.loss = 0.5": "4",
    "metrics.`val/loss` < 1.0": "13",
    'metrics."val/loss" > 0.3': "35",
    "params.lr = '0.1'": "036",
    "params.lr != '0.1'": "1245",
    "params.lr LIKE '0.%'": "01346",
    "params.lr ILIKE '1E%'": "25",
    "params.`opt imizer` IS NULL": "3456",
    "params.`opt imizer` IS NOT NULL": "012",
    "tags.phase = 'A'": "036",
    "tags.`odd tag` LIKE 'v%'": "0123456",
    "tags.phase ILIKE 'a'": "036",
    "tags.nobody IS NULL": "0123456",
    "attributes.status = 'FINISHED'": "3",
    "status != 'RUNNING'": "34",
    "attributes.run_name LIKE 'run-%'": "0123456",
    "run_name = 'run-1'": "1",
    "start_time > 103": "456",
    "attributes.end_time < 450": "4",
    "metrics.loss > -3 AND params.lr = '0.01' and tags.phase != 'A'": "14",
    "tags.mlflow.runName = 'run-2'": "2",
    "metrics.nobody > 0": "",
}
ORDERED = {
    "metrics.loss": "2564310",
    "metrics.loss DESC": "1346520",
    "metrics.`val/loss` DESC": "5310246",
    "params.n DESC": "6543210",
    "params.`opt imizer`": "0123456",
    "tags.`odd tag` DESC": "6543210",
    "start_time": "0123456",
    "attributes.start_time DESC": "6543210",
    "end_time": "4301256",
    "attributes.run_name DESC": "6543210",
    "status": "4301256",
}


@pytest.fixture(scope="module")
def seen(client: Any) -> Seen:
    told: Seen = client.seen("search.py", f"search{client.major}")
    return told


@pytest.mark.parametrize("text", FOUND)
def test_filters(seen: Seen, text: str) -> None:
    assert seen["filters"][text] == FOUND[text]


def test_unequal_leaves_out_missing_values_alone(seen: Seen) -> None:
    assert set(seen["filters"]["metrics.loss != 0.5"]) >= set("12356")
    assert "4" not in seen["filters"]["metrics.loss != 0.5"]


@pytest.mark.parametrize("text", ORDERED)
def test_orders(seen: Seen, text: str) -> None:
    assert seen["orders"][text] == ORDERED[text]


def test_by_id_and_view(seen: Seen) -> None:
    assert seen["by_id"] == "12"
    assert seen["not_by_id"] == "03456"
    assert seen["deleted"] == "7"
    assert seen["all"] == "01234567"


def test_experiments_and_limits(seen: Seen) -> None:
    assert seen["default_order"] == "6543210"
    assert seen["limit"] == "01"
    assert seen["no_experiments"] == seen["unknown_experiment"] == 0
    assert seen["both"] == 8
    assert seen["five"] == 5


def test_pages(seen: Seen) -> None:
    assert seen["pages"] == [["run-0", "run-1", "run-2"], ["run-3", "run-4", "run-5"], ["run-6"]]


def test_the_data_frame(seen: Seen) -> None:
    frame = seen["frame"]
    assert frame["shape"][0] == 7
    assert frame["names"] == [f"run-{number}" for number in range(7)]
    wanted = {"run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time", "metrics.loss"}
    assert wanted | {"metrics.val/loss", "params.lr", "params.opt imizer", "tags.odd tag"} <= set(frame["columns"])
    assert frame["nan_loss"]
    assert frame["infinite"] == ["inf", "-inf"]
    assert frame["missing_param"]
    assert frame["dtypes"]["metrics.loss"] == "float64"
    assert frame["dtypes"]["start_time"].startswith("datetime64")
    assert seen["empty_frame"][0] == 0


def test_the_list_and_all_experiments(seen: Seen) -> None:
    assert seen["list"] == [f"run-{number}" for number in range(7)]
    assert seen["everywhere"]


def test_the_query_of_the_storyteller_guide(seen: Seen) -> None:
    assert seen["guide"]


def test_what_cannot_be_read_is_refused_with_mlflows_code(seen: Seen) -> None:
    for text, error in seen["refused"].items():
        assert error is not None, text
        assert (error["code"], error["status"]) == ("INVALID_PARAMETER_VALUE", 400), (text, error)
