"""Bulk actions, saved views and files of runs over HTTP."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import arro3.io
import httpx
import pytest

from support.seeds import artifact
from support.servers import Server


@pytest.fixture
def experiment(shared_server: Server, request: pytest.FixtureRequest) -> str:
    name = f"bulk-{request.node.name}"
    id_: str = shared_server.post("experiments/create", {"name": name}).json()["experiment_id"]
    return id_


def logged(server: Server, experiment: str, count: int) -> list[str]:
    made = []
    for number in range(count):
        run_id = server.new_run(experiment, run_name=f"r{number}", start_time=1000 + number)
        point = {"key": "loss", "value": "NaN" if number == 1 else number, "timestamp": 1, "step": 1}
        params = [{"key": "lr", "value": f"0.{number}"}]
        assert server.post("runs/log-batch", {"run_id": run_id, "metrics": [point], "params": params}).is_success
        made.append(run_id)
    return made


def call(server: Server, path: str, body: dict[str, Any]) -> Any:
    answer = server.native(path, body)
    assert answer.is_success, answer.text
    return answer.json()


def files_of(server: Server) -> Path:
    return server.folder / "artifacts"


def test_tags_and_their_undoing(shared_server: Server, experiment: str) -> None:
    a, b = logged(shared_server, experiment, 2)
    wanted = [{"run_id": run, "key": "phase", "value": "x"} for run in (a, b)]
    before = call(shared_server, "runs/tags", {"changes": wanted})["before"]
    assert before == [{"run_id": run, "key": "phase", "value": None} for run in (a, b)]
    call(shared_server, "runs/tags", {"changes": before})
    table = call(shared_server, "runs/table", {"experiment_ids": [experiment], "columns": ["tags.phase"]})
    assert table["columns"]["tags.phase"]["value"] == [None, None]


def test_deleting_for_good_takes_the_artifacts_along(shared_server: Server, experiment: str) -> None:
    a, b = logged(shared_server, experiment, 2)
    for run in (a, b):
        artifact(shared_server, f"{experiment}/{run}/artifacts/model/weights.bin", b"x" * 1000)
    folder = files_of(shared_server) / experiment
    assert call(shared_server, "runs/weigh", {"run_ids": [a, b]}) == {"runs": 2, "files": 2, "bytes": 2000}
    refused = shared_server.native("runs/purge", {"run_ids": [a]})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert call(shared_server, "runs/delete", {"run_ids": [a]}) == {"run_ids": [a]}
    assert call(shared_server, "runs/purge", {"run_ids": [a]}) == {"run_ids": [a], "files_left": []}
    assert [path.name for path in folder.iterdir()] == [b]
    assert shared_server.native("runs/purge", {"run_ids": [a]}).status_code == 404


def test_a_moved_run_keeps_its_files(shared_server: Server, experiment: str) -> None:
    (a,) = logged(shared_server, experiment, 1)
    artifact(shared_server, f"{experiment}/{a}/artifacts/report.md", b"# Report\n")
    other = shared_server.post("experiments/create", {"name": "bulk-moved-to"}).json()["experiment_id"]
    body = {"run_ids": [a], "experiment_id": other}
    assert call(shared_server, "runs/move", body) == {"before": {experiment: [a]}}
    assert call(shared_server, "runs/table", {"experiment_ids": [other]})["runs"][0]["run_id"] == a
    base = shared_server.url
    listed = httpx.get(f"{base}/api/2.0/mlflow/artifacts/list", params={"run_id": a}).json()
    assert listed["files"][0]["path"] == "report.md"
    assert listed["root_uri"] == f"mlflow-artifacts:/{experiment}/{a}/artifacts"
    assert httpx.get(f"{base}/get-artifact", params={"run_id": a, "path": "report.md"}).text == "# Report\n"
    call(shared_server, "runs/delete", {"run_ids": [a]})
    assert call(shared_server, "runs/purge", {"run_ids": [a]})["files_left"] == []
    assert list((files_of(shared_server) / experiment).iterdir()) == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("runs/delete", {"run_ids": ["nobody"]}),
        ("runs/delete", {}),
        ("runs/delete", {"run_ids": [f"r{n}" for n in range(1001)]}),
        ("runs/weigh", {"run_ids": ["../x"]}),
        ("runs/move", {"run_ids": [], "experiment_id": "99999"}),
        ("runs/tags", {"changes": [{"run_id": "nobody", "key": "a", "value": "b"}]}),
        ("runs/export", {"experiment_ids": ["0"], "format": "xls"}),
        ("runs/export", {"experiment_ids": ["0"], "filter": "metrics."}),
        ("runs/table", {"experiment_ids": ["0"], "offset": -1}),
        ("runs/table", {"experiment_ids": ["0"], "parts": ["best"]}),
        ("views/create", {"experiment_id": "0", "name": ""}),
        ("views/create", {"experiment_id": "99999", "name": "a"}),
        ("views/update", {"view_id": "nothing"}),
        ("views/set-default", {"experiment_id": "0", "view_id": "nothing"}),
    ],
)
def test_what_cannot_be_done_is_the_clients_mistake(shared_server: Server, path: str, body: dict[str, Any]) -> None:
    answer = shared_server.native(path, body)
    assert 400 <= answer.status_code < 500
    assert answer.json()["message"]


def test_views_are_saved_and_listed(shared_server: Server, experiment: str) -> None:
    made = call(shared_server, "views/create", {"experiment_id": experiment, "name": "LoRA", "state": "q=x"})["view"]
    call(shared_server, "views/set-default", {"experiment_id": experiment, "view_id": made["view_id"]})
    call(shared_server, "views/update", {"view_id": made["view_id"], "state": "q=y"})
    address = f"{shared_server.url}/api/logbuch/1/views"
    (listed,) = httpx.get(address, params={"experiment_id": experiment}).json()["views"]
    assert (listed["name"], listed["state"], listed["is_default"]) == ("LoRA", "q=y", True)
    call(shared_server, "views/delete", {"view_id": made["view_id"]})
    assert httpx.get(address, params={"experiment_id": experiment}).json() == {"views": []}


def test_parquet_holds_types_and_every_sort_of_absence(shared_server: Server, experiment: str) -> None:
    made = logged(shared_server, experiment, 3)
    silent = shared_server.new_run(experiment, start_time=0)
    address = f"{shared_server.url}/api/logbuch/1/runs.parquet"
    answer = httpx.get(address, params={"experiment_id": experiment, "order_by": "start_time ASC"})
    assert answer.headers["content-disposition"] == 'attachment; filename="runs.parquet"'
    table = arro3.io.read_parquet(io.BytesIO(answer.content)).read_all()
    assert table.column("run_id").to_pylist() == [silent, *made]
    none, zero, nan, two = table.column("metrics.loss").to_pylist()
    assert (none, zero, two) == (None, 0.0, 2.0)
    assert math.isnan(nan)
    assert table.column("params.lr").to_pylist() == [None, "0.0", "0.1", "0.2"]
    assert table.column("status").to_pylist() == ["RUNNING"] * 4
    assert str(table.schema.field("start_time").type).startswith("arro3.core.DataType<Timestamp")
    assert table.column("end_time").to_pylist() == [None] * 4


def test_chosen_runs_and_columns_as_files(shared_server: Server, experiment: str) -> None:
    made = logged(shared_server, experiment, 3)
    body = {"run_ids": made[:2], "columns": ["params.lr"], "order_by": ["start_time ASC"], "view": "all"}
    text = shared_server.native("runs/export", {**body, "format": "csv"}).text
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][-1] == "params.lr"
    assert [(row[0], row[-1]) for row in rows[1:]] == [(made[0], "0.0"), (made[1], "0.1")]
    parquet = shared_server.native("runs/export", {**body, "format": "parquet"})
    assert arro3.io.read_parquet(io.BytesIO(parquet.content)).read_all().shape == (2, 8)


def test_least_and_greatest_values_are_ordered_searched_and_saved(shared_server: Server, experiment: str) -> None:
    made = logged(shared_server, experiment, 3)
    for run, value in zip(made, (9, 8, -1), strict=True):
        shared_server.post("runs/log-metric", {"run_id": run, "key": "loss", "value": value, "timestamp": 0, "step": 0})
    body = {"experiment_ids": [experiment], "order_by": ["min(metrics.loss) DESC"], "filter": "max(metrics.loss) > 2"}
    assert [run["run_id"] for run in call(shared_server, "runs/table", body)["runs"]] == [made[1], made[0]]
    columns = ["metrics.loss", "max(metrics.loss)", "params.lr"]
    asked = {"experiment_id": experiment, "column": columns, "order_by": "max(metrics.loss)"}
    text = httpx.get(f"{shared_server.url}/api/logbuch/1/runs.csv", params=asked).text
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][-3:] == columns
    assert [row[-3:] for row in rows[1:]] == [["2.0", "2.0", "0.2"], ["nan", "8.0", "0.1"], ["0.0", "9.0", "0.0"]]
    parquet = httpx.get(f"{shared_server.url}/api/logbuch/1/runs.parquet", params=asked)
    assert arro3.io.read_parquet(io.BytesIO(parquet.content)).read_all().column("max(metrics.loss)").to_pylist() == [
        2.0, 8.0, 9.0,
    ]  # fmt: skip
    refused = httpx.get(f"{shared_server.url}/api/logbuch/1/runs.csv", params=asked | {"column": "min(params.lr)"})
    assert refused.status_code == 400
    assert "min(params.lr)" in refused.json()["message"]
