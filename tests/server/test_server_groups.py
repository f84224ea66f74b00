"""Groups over HTTP: the table, CSV, and curves in binary columns."""

from __future__ import annotations

import csv
import io
import json
import math
import struct
from typing import Any

import httpx
import numpy as np
import pytest

from support.servers import Server

T2 = 4.302652729749462
"""Student's t for two degrees of freedom."""


@pytest.fixture(scope="module")
def experiment(shared_server: Server) -> str:
    """Seven runs: three of model a, three of "b", of which one with NaN and one with Inf, and one without model."""
    id_: str = shared_server.post("experiments/create", {"name": "groups"}).json()["experiment_id"]
    logged = [("a", 1), ("a", 2), ("a", 6), ('"b"', 5), ('"b"', "NaN"), ('"b"', "Infinity"), (None, None)]
    for number, (model, loss) in enumerate(logged):
        run_id = shared_server.new_run(id_, run_name=f"run{number}", start_time=number * 100)
        points = [
            {"key": "loss", "value": value, "timestamp": number * 100 + step, "step": step}
            for step, value in enumerate([] if loss is None else [9, loss])
        ]
        params = [] if model is None else [{"key": "model", "value": model}]
        assert shared_server.post("runs/log-batch", {"run_id": run_id, "metrics": points, "params": params}).is_success
    return id_


def run_ids(server: Server, experiment: str, filter_: str) -> list[str]:
    body = {"experiment_ids": [experiment], "filter": filter_, "order_by": ["start_time"]}
    return [run["run_id"] for run in server.native("runs/table", body).json()["runs"]]


def test_the_table_of_groups(shared_server: Server, experiment: str) -> None:
    body = {"experiment_ids": [experiment], "by": ["params.model"], "metrics": ["loss", "min(loss)", "none"]}
    found = shared_server.native("runs/groups", body).json()
    assert found["values"] == {"params.model": ['"b"', "a", None]}
    assert found["runs"] == [3, 3, 1]
    assert (found["total"], found["total_runs"], found["next_page_token"]) == (3, 7, None)
    assert found["filters"] == ["params.model = '\"b\"'", "params.model = 'a'", "params.model IS NULL"]
    assert [len(run_ids(shared_server, experiment, filter_)) for filter_ in found["filters"]] == [3, 3, 1]
    loss = found["metrics"]["loss"]
    error = math.sqrt(7) / math.sqrt(3)
    assert (loss["count"], loss["missing"]) == ([1, 3, 0], [0, 0, 1])
    assert (loss["nan"], loss["pos_inf"], loss["neg_inf"]) == ([1, 0, 0], [1, 0, 0], [0, 0, 0])
    assert (loss["mean"], loss["median"]) == ([5, 3, None], [5, 2, None])
    assert (loss["min"], loss["max"]) == ([5, 1, None], [5, 6, None])
    assert loss["std"] == [None, pytest.approx(math.sqrt(7)), None]
    assert loss["stderr"] == [None, pytest.approx(error), None]
    assert loss["low"] == [None, pytest.approx(3 - T2 * error), None]
    assert loss["high"] == [None, pytest.approx(3 + T2 * error), None]
    assert found["metrics"]["min(loss)"]["max"] == [9, 6, None]
    assert found["metrics"]["none"]["missing"] == [3, 3, 1]


def test_how_much_the_texts_of_a_group_differ(shared_server: Server) -> None:
    id_: str = shared_server.post("experiments/create", {"name": "groups/texts"}).json()["experiment_id"]
    given = [("a", "1"), ("a", "2"), ("a", "2"), ("a", None), ("b", "long" * 100), *[("c", str(n)) for n in range(12)]]
    for model, rank in given:
        run = shared_server.new_run(id_)
        params = {"model": model} | ({} if rank is None else {"rank": rank})
        pairs = [{"key": key, "value": value} for key, value in params.items()]
        assert shared_server.post("runs/log-batch", {"run_id": run, "params": pairs}).is_success
    body = {"experiment_ids": [id_], "by": ["params.model"], "texts": ["params.rank", "tags.none"]}
    found = shared_server.native("runs/groups", body).json()
    rank, none = found["texts"]["params.rank"], found["texts"]["tags.none"]
    assert found["values"]["params.model"] == ["a", "b", "c"]
    assert (rank["distinct"], rank["missing"]) == ([2, 1, 12], [1, 0, 0])
    assert (rank["values"][0], len(rank["values"][2])) == (["2", "1"], 8)
    assert rank["values"][1] == [("long" * 100)[:199] + "…"]
    assert none == {"distinct": [0, 0, 0], "missing": [4, 1, 12], "values": [[], [], []]}
    last = shared_server.native("runs/groups", body | {"order_by": ["params.model DESC"], "max_results": 1}).json()
    assert last["texts"]["params.rank"]["distinct"] == [12]


def test_pages_of_groups(shared_server: Server, experiment: str) -> None:
    body: dict[str, Any] = {"experiment_ids": [experiment], "by": ["params.model"], "metrics": ["loss"]}
    body |= {"order_by": ["mean(loss)"], "max_results": 1}
    seen = []
    while True:
        found = shared_server.native("runs/groups", body).json()
        seen += found["values"]["params.model"]
        if found["next_page_token"] is None:
            break
        body["page_token"] = found["next_page_token"]
    assert seen == ["a", '"b"', None]


def test_all_runs_as_one_group(shared_server: Server, experiment: str) -> None:
    found = shared_server.native("runs/groups", {"experiment_ids": [experiment], "metrics": ["loss"]}).json()
    assert (found["values"], found["filters"], found["runs"]) == ({}, [""], [7])
    assert found["metrics"]["loss"]["mean"] == [3.5]


def test_numbers_beyond_doubles_are_words(shared_server: Server) -> None:
    id_ = shared_server.post("experiments/create", {"name": "huge"}).json()["experiment_id"]
    for value in (1.7e308, -1.7e308):
        run_id = shared_server.new_run(id_)
        shared_server.post("runs/log-metric", {"run_id": run_id, "key": "m", "value": value, "timestamp": 1})
    numbers = shared_server.native("runs/groups", {"experiment_ids": [id_], "metrics": ["m"]}).json()["metrics"]["m"]
    assert (numbers["mean"], numbers["std"], numbers["low"]) == ([0], ["Infinity"], ["-Infinity"])


def test_groups_as_csv(shared_server: Server, experiment: str) -> None:
    query = {"experiment_id": experiment, "by": ["params.model", "status"], "metric": ["loss", "max(loss)"]}
    answer = httpx.get(f"{shared_server.url}/api/logbuch/1/groups.csv", params=query)
    assert answer.headers["content-disposition"] == 'attachment; filename="groups.csv"'
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["params.model"] for row in rows] == ['"b"', "a", ""]
    assert [row["status"] for row in rows] == ["RUNNING"] * 3
    assert [row["runs"] for row in rows] == ["3", "3", "1"]
    assert [row["mean(loss)"] for row in rows] == ["5.0", "3.0", ""]
    assert [row["missing(max(loss))"] for row in rows] == ["0", "0", "1"]
    assert [row["mean(max(loss))"] for row in rows] == ["9.0", "9.0", ""]
    assert len(rows[0]) == 3 + 2 * 13
    bad = httpx.get(f"{shared_server.url}/api/logbuch/1/groups.csv", params=query | {"filter": "("})
    assert bad.status_code == 400


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"by": ["metrics.loss"]}, "'by'"),
        ({"by": ["params.a", "params.a"]}, "'by'"),
        ({"by": [f"params.{number}" for number in range(6)]}, "'by'"),
        ({"metrics": [f"m{number}" for number in range(51)]}, "'metrics'"),
        ({"metrics": ["loss", "loss"]}, "'metrics'"),
        ({"texts": ["loss"]}, "'texts'"),
        ({"texts": [f"params.{number}" for number in range(9)]}, "'texts'"),
        ({"order_by": ["mean(loss)"]}, "'order_by'"),
        ({"view": "x"}, "'view'"),
        ({"max_results": 0}, "'max_results'"),
        ({"max_results": 5001}, "'max_results'"),
        ({"page_token": "x"}, "'page_token'"),
        ({"by": "params.a"}, "'by'"),
    ],
)
def test_a_bad_request_names_its_field(shared_server: Server, body: dict[str, Any], names: str) -> None:
    answer = shared_server.native("runs/groups", {"experiment_ids": ["0"]} | body)
    assert answer.status_code == 400
    assert names in answer.json()["message"]


def test_a_bad_filter_says_where(shared_server: Server) -> None:
    body = {"experiment_ids": ["0"], "filter": "params.lr = 'a' AND nope = 3"}
    for path, more in (("runs/groups", {}), ("metrics/group-buckets", {"keys": ["m"]})):
        answer = shared_server.native(path, body | more)
        assert (answer.status_code, answer.json()["position"]) == (400, 20)


def test_an_experiment_that_does_not_exist_has_no_group(shared_server: Server) -> None:
    for ids in (["987654"], ["nonsense"], []):
        found = shared_server.native("runs/groups", {"experiment_ids": ids, "by": ["status"], "metrics": ["m"]}).json()
        assert (found["total"], found["values"], found["metrics"]["m"]["mean"]) == (0, {"status": []}, [])
        header, tables = unpack(shared_server.native("metrics/group-buckets", {"experiment_ids": ids, "keys": ["m"]}))
        assert (header["groups"], tables) == ([], {})


# -- curves -----------------------------------------------------------------------------------------------------------


def unpack(answer: httpx.Response) -> tuple[dict[str, Any], dict[tuple[int, str], dict[str, Any]]]:
    """An answer as a browser reads it: its header, and the tables by group and key."""
    assert answer.status_code == 200, answer.text
    (length,) = struct.unpack_from("<I", answer.content)
    assert (4 + length) % 8 == 0
    header = json.loads(answer.content[4 : 4 + length])
    tables = {}
    for entry in header["series"]:
        flat = np.frombuffer(
            answer.content, "<f8", entry["buckets"] * len(header["columns"]), 4 + length + entry["offset"]
        )
        columns = flat.reshape(len(header["columns"]), -1).tolist()
        tables[entry["group"], entry["key"]] = entry | dict(zip(header["columns"], columns, strict=True))
    return header, tables


def test_curves_of_named_groups(shared_server: Server, experiment: str) -> None:
    a, b = (run_ids(shared_server, experiment, f"params.model = '{model}'") for model in ("a", '"b"'))
    body = {"groups": [{"name": "A", "run_ids": a}, {"name": "B", "run_ids": b + b[:1]}, {"name": "", "run_ids": []}]}
    answer = shared_server.native("metrics/group-buckets", body | {"keys": ["loss", "none"]})
    header, tables = unpack(answer)
    assert header["x"] == "step"
    assert header["groups"] == [{"name": "A", "runs": 3}, {"name": "B", "runs": 3}, {"name": "", "runs": 0}]
    assert list(tables) == [(0, "loss"), (1, "loss")]
    first, second = tables.values()
    assert (first["x"], first["runs"], first["mean"]) == ([0, 1], [3, 3], [9, 3])
    assert first["std"] == pytest.approx([0, math.sqrt(7)])
    assert first["low"] == pytest.approx([9, 3 - T2 * math.sqrt(7 / 3)])
    assert (first["min"], first["max"]) == ([9, 1], [9, 6])
    assert (second["runs"][1], second["mean"][1], second["nan"][1], second["pos_inf"][1]) == (1, 5, 1, 1)
    assert math.isnan(second["std"][1])
    assert (second["x_min"], second["x_max"]) == (0, 1)


@pytest.mark.parametrize("axis", ["step", "time", "relative"])
def test_curves_of_a_query(shared_server: Server, experiment: str, axis: str) -> None:
    body = {"experiment_ids": [experiment], "by": ["params.model"], "keys": ["loss"], "x": axis, "buckets": 50}
    header, tables = unpack(shared_server.native("metrics/group-buckets", body))
    assert [group["values"]["params.model"] for group in header["groups"]] == ['"b"', "a", None]
    assert header["groups"][1] == {"values": {"params.model": "a"}, "filter": "params.model = 'a'", "runs": 3}
    assert list(tables) == [(0, "loss"), (1, "loss")]
    if axis != "time":
        assert tables[1, "loss"]["mean"] == [9, 3]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, "keys"),
        ({"keys": ["m"], "buckets": 0}, "'buckets'"),
        ({"keys": ["m"], "x": "epoch"}, "'x'"),
        ({"keys": ["m"], "end": "Infinity"}, "'end'"),
        ({"keys": ["m"], "view": "x"}, "'view'"),
        ({"keys": ["m"], "by": ["nope.x"]}, "'by'"),
        ({"keys": ["m"], "groups": [], "by": ["params.a"]}, "'groups'"),
        ({"keys": ["m"], "groups": [{"run_ids": []}]}, "name"),
        ({"keys": ["m"], "groups": [{"name": "g", "run_ids": []}] * 501}, "501 groups"),
        ({"keys": ["m"], "groups": [{"name": "g", "run_ids": ["r"] * 10_001}]}, "'groups'"),
    ],
)
def test_a_bad_request_for_curves_names_its_field(shared_server: Server, body: dict[str, Any], names: str) -> None:
    answer = shared_server.native("metrics/group-buckets", body)
    assert answer.status_code == 400
    assert names in answer.json()["message"]


def test_too_much_at_once_is_refused(shared_server: Server, experiment: str) -> None:
    body = {"experiment_ids": [experiment], "by": ["run_id"]}
    many = shared_server.native("metrics/group-buckets", body | {"keys": [f"m{number}" for number in range(1000)]})
    assert (many.status_code, "7000 series" in many.json()["message"]) == (400, True)
    wide = {"keys": [f"m{number}" for number in range(100)], "buckets": 4000}
    assert "'buckets'" in shared_server.native("metrics/group-buckets", body | wide).json()["message"]


def test_a_run_that_does_not_exist(shared_server: Server) -> None:
    body = {"groups": [{"name": "g", "run_ids": ["gone"]}], "keys": ["m"]}
    answer = shared_server.native("metrics/group-buckets", body)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
