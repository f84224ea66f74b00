"""Logbuch's own endpoints: the table, the columns, buckets, CSV, live changes."""

from __future__ import annotations

import csv
import io
import json
import struct
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from support.servers import Server


def unpack(answer: httpx.Response) -> dict[tuple[str, str], dict[str, Any]]:
    """A bucket answer as a browser reads it."""
    assert answer.status_code == 200, answer.text
    (length,) = struct.unpack_from("<I", answer.content)
    assert (4 + length) % 8 == 0
    header = json.loads(answer.content[4 : 4 + length])
    series = {}
    for entry in header["series"]:
        start = 4 + length + entry["offset"]
        flat = np.frombuffer(answer.content, "<f8", entry["buckets"] * len(header["columns"]), start)
        columns = dict(zip(header["columns"], flat.reshape(len(header["columns"]), -1), strict=True))
        series[entry["run_id"], entry["key"]] = entry | columns
    return series


def new_experiment(server: Server, name: str) -> str:
    experiment_id: str = server.post("experiments/create", {"name": name}).json()["experiment_id"]
    return experiment_id


def log(server: Server, run_id: str, **more: Any) -> None:
    answer = server.post("runs/log-batch", {"run_id": run_id, **more})
    assert answer.status_code == 200, answer.text


def test_the_table_gives_the_asked_columns(shared_server: Server) -> None:
    experiment = new_experiment(shared_server, "table")
    run_ids = [shared_server.new_run(experiment, run_name=name, start_time=number) for number, name in enumerate("abc")]
    for number, run_id in enumerate(run_ids[:2]):
        points = [
            {"key": "eval/loss", "value": value, "timestamp": 1, "step": step}
            for step, value in enumerate([3, 1, 2 + number])
        ]
        log(shared_server, run_id, metrics=points, params=[{"key": "lr", "value": f"0.{number}"}])
    log(shared_server, run_ids[2], metrics=[{"key": "eval/loss", "value": "NaN", "timestamp": 1}])
    request = {
        "experiment_ids": [experiment],
        "order_by": ["metrics.eval/loss DESC"],
        "columns": ["metrics.eval/loss", "params.lr", "tags.none"],
    }
    page = shared_server.native("runs/table", request).json()
    assert [run["name"] for run in page["runs"]] == ["b", "a", "c"]
    assert page["total"] == 3
    assert page["next_page_token"] is None
    loss = page["columns"]["metrics.eval/loss"]
    assert loss["last"] == [3, 2, "NaN"]
    assert (loss["min"], loss["min_step"], loss["max"]) == ([1, 1, None], [1, 1, None], [3, 3, None])
    assert page["columns"]["params.lr"]["value"] == ["0.1", "0.0", None]
    assert page["columns"]["tags.none"]["value"] == [None, None, None]
    first = shared_server.native("runs/table", request | {"max_results": 2}).json()
    second = shared_server.native(
        "runs/table", request | {"max_results": 2, "page_token": first["next_page_token"]}
    ).json()
    assert [run["name"] for run in first["runs"] + second["runs"]] == ["b", "a", "c"]
    only = shared_server.native("runs/table", {"run_ids": run_ids[:1]}).json()
    assert [run["name"] for run in only["runs"]] == ["a"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"columns": ["nope"]}, "columns"),
        ({"view": "x"}, "view"),
        ({"max_results": 0}, "max_results"),
        ({"max_results": 5001}, "max_results"),
    ],
)
def test_a_bad_table_request_names_its_field(shared_server: Server, body: dict[str, Any], names: str) -> None:
    answer = shared_server.native("runs/table", {"experiment_ids": ["0"]} | body)
    assert answer.status_code == 400
    assert f"'{names}'" in answer.json()["message"]


def test_a_bad_filter_says_where(shared_server: Server) -> None:
    answer = shared_server.native("runs/table", {"experiment_ids": ["0"], "filter": "params.lr = 'a' AND nope = 3"})
    assert answer.status_code == 400
    assert answer.json()["position"] == 20
    assert answer.json()["length"] >= 1


def test_the_keys_that_were_logged(shared_server: Server) -> None:
    experiment = new_experiment(shared_server, "keys")
    for number in range(3):
        run_id = shared_server.new_run(experiment)
        log(
            shared_server,
            run_id,
            metrics=[{"key": "m", "value": 1, "timestamp": 1}] * (number > 0),
            params=[{"key": "lr", "value": str(number % 2)}],
        )
    found = httpx.get(f"{shared_server.url}/api/logbuch/1/runs/columns", params={"experiment_id": experiment}).json()
    assert found["runs"] == 3
    assert found["metrics"] == [{"key": "m", "runs": 2}]
    assert found["params"] == [{"key": "lr", "runs": 3, "distinct": 2, "values": ["0", "1"]}]
    listed = httpx.get(f"{shared_server.url}/api/logbuch/1/experiments").json()["experiments"]
    mine = next(item for item in listed if item["experiment_id"] == experiment)
    assert (mine["name"], mine["runs"], mine["running"]) == ("keys", 3, 3)


def test_csv_is_whole_and_harmless(shared_server: Server) -> None:
    experiment = new_experiment(shared_server, "csv")
    run_id = shared_server.new_run(experiment, run_name="=cmd|'/c calc'!A1")
    params = [{"key": "p", "value": "+1+1"}, {"key": "n", "value": "-0.5"}, {"key": "q", "value": 'a,"b"\n'}]
    log(shared_server, run_id, metrics=[{"key": "m", "value": "NaN", "timestamp": 1}], params=params)
    for _ in range(3):
        shared_server.new_run(experiment)
    answer = httpx.get(
        f"{shared_server.url}/api/logbuch/1/runs.csv", params={"experiment_id": experiment, "order_by": "params.p"}
    )
    assert answer.headers["content-disposition"] == 'attachment; filename="runs.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 4
    assert rows[0]["run_id"] == run_id
    assert rows[0]["name"] == "'=cmd|'/c calc'!A1"
    assert [rows[0][f"params.{key}"] for key in "pnq"] == ["'+1+1", "-0.5", 'a,"b"\n']
    assert rows[0]["metrics.m"] == "nan"
    bad = httpx.get(f"{shared_server.url}/api/logbuch/1/runs.csv", params={"experiment_id": experiment, "filter": "("})
    assert bad.status_code == 400


def test_a_spike_in_a_million_points_is_in_its_bucket(shared_server: Server) -> None:
    run_id = shared_server.new_run()
    for start in range(0, 20_000, 1000):
        points = [
            {"key": "loss", "value": 99.0 if step == 7_777 else 1.0, "timestamp": step * 10, "step": step}
            for step in range(start, start + 1000)
        ]
        log(shared_server, run_id, metrics=points)
    request = {"run_ids": [run_id], "keys": ["loss", "none"], "buckets": 500}
    found = unpack(shared_server.native("metrics/buckets", request))
    assert list(found) == [(run_id, "loss")]
    table = found[run_id, "loss"]
    assert (table["points"], table["buckets"]) == (20_000, 500)
    assert table["max"].max() == 99.0
    assert table["count"].sum() == 20_000
    spike = int(table["max"].argmax())
    assert table["x"][spike] <= 7_777 <= table["x_last"][spike]
    zoomed = unpack(shared_server.native("metrics/buckets", request | {"start": 7_770, "end": 7_780}))[run_id, "loss"]
    assert list(zoomed["x"]) == list(range(7_770, 7_781))
    assert zoomed["last"][7] == 99.0


def test_buckets_show_nan_and_infinity_where_they_were(shared_server: Server) -> None:
    run_id = shared_server.new_run("0", start_time=1000)
    values = [1.0, "NaN", "Infinity", "-Infinity", 2.0]
    points = [{"key": "m", "value": value, "timestamp": 1000 + step, "step": step} for step, value in enumerate(values)]
    log(shared_server, run_id, metrics=points)
    for axis, first in (("step", 0), ("time", 1000), ("relative", 0)):
        request = {"run_ids": [run_id], "keys": ["m"], "x": axis}
        table = unpack(shared_server.native("metrics/buckets", request))[run_id, "m"]
        assert list(table["x"]) == [first + step for step in range(5)]
        assert list(table["nan"]) == [0, 1, 0, 0, 0]
        assert (list(table["pos_inf"]), list(table["neg_inf"])) == ([0, 0, 1, 0, 0], [0, 0, 0, 1, 0])
        assert np.isnan(table["last"][1:4]).all()
    one = unpack(shared_server.native("metrics/buckets", {"run_ids": [run_id], "keys": ["m"], "buckets": 1}))[
        run_id, "m"
    ]
    assert [float(one[name][0]) for name in ("count", "min", "max", "first", "last", "mean")] == [2, 1, 2, 1, 2, 1.5]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"keys": ["m"]}, "run_ids"),
        ({"run_ids": ["r"]}, "keys"),
        ({"run_ids": [], "keys": [], "buckets": 0}, "buckets"),
        ({"run_ids": [], "keys": [], "buckets": 4001}, "buckets"),
        ({"run_ids": [], "keys": [], "smoothing": 1}, "smoothing"),
        ({"run_ids": [], "keys": [], "x": "y"}, "x"),
        ({"run_ids": [], "keys": [], "start": "NaN"}, "start"),
        ({"run_ids": ["r"] * 50, "keys": ["k"] * 50}, "run_ids"),
    ],
)
def test_a_bad_bucket_request_names_its_field(shared_server: Server, body: dict[str, Any], names: str) -> None:
    answer = shared_server.native("metrics/buckets", body)
    assert answer.status_code == 400
    assert names in answer.json()["message"]


class Listener:
    """A browser's EventSource, in a thread."""

    def __init__(self, server: Server, **query: Any) -> None:
        self._stream = httpx.stream("GET", f"{server.url}/api/logbuch/1/live", params=query, timeout=60)
        self._answer = self._stream.__enter__()
        self._lines = self._answer.iter_lines()

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        name = ""
        for line in self._lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))

    def close(self) -> None:
        self._stream.__exit__(None, None, None)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_changes_arrive_live_also_from_another_server(
    make_server: Any, request: pytest.FixtureRequest, database: str
) -> None:
    uri = request.getfixturevalue(f"{database}_uri")
    here, there = make_server(uri), make_server(uri)
    experiment = new_experiment(here, "live")
    listener = Listener(here, experiment_id=experiment)
    events = listener.events()
    assert next(events)[0] == "hello"
    for server in (here, there):
        timer = threading.Timer(0.2, server.new_run, (experiment,))
        timer.start()
        name, data = next(events)
        timer.join()
        assert (name, [run["experiment_id"] for run in data["runs"]]) == ("changes", [experiment])
    listener.close()
    missed = here.new_run(experiment, run_name="missed")
    again = Listener(here, experiment_id=experiment, cursor=data["cursor"])
    events = again.events()
    assert next(events)[0] == "hello"
    while missed not in [run["run_id"] for run in next(events)[1]["runs"]]:  # what came before may be told again
        pass
    again.close()


def test_live_of_unknown_runs_and_cursors(shared_server: Server) -> None:
    assert httpx.get(f"{shared_server.url}/api/logbuch/1/live", params={"cursor": "x"}).status_code == 400
    listener = Listener(shared_server, run_id="none")
    events = listener.events()
    assert next(events)[0] == "hello"
    shared_server.new_run()
    listener.close()


def test_curves_come_as_json_for_programs(shared_server: Server) -> None:
    run_id = shared_server.new_run()
    points = [
        {"key": "loss", "value": value, "timestamp": 1, "step": step} for step, value in enumerate((3.0, 9.0, 1.0))
    ]
    shared_server.post(
        "runs/log-batch", {"run_id": run_id, "metrics": [*points, points[0] | {"value": "NaN", "step": 5}]}
    )
    body = {"run_ids": [run_id], "keys": ["loss", "never"], "buckets": 2}
    (curve,) = shared_server.native("metrics/outline", body).json()["series"]
    assert (curve["key"], curve["points"], curve["nan"]) == ("loss", 4, 1)
    assert curve["columns"]["max"] == [9.0, None]
    for wrong, named in (({"buckets": 0}, "buckets"), ({"smoothing": 1}, "smoothing"), ({"x": "moon"}, "moon")):
        refused = shared_server.native("metrics/outline", body | wrong)
        assert refused.status_code == 400
        assert named in refused.json()["message"]


def test_activity_counts_the_runs_of_each_day(shared_server: Server) -> None:
    day, since = 86_400_000, 1_790_000_000_000
    experiment_id = new_experiment(shared_server, "busy days")
    for start in (since - 1, since, since + day - 1, since + 13 * day, since + 14 * day):
        shared_server.new_run(experiment_id, start_time=start)
    bad = shared_server.new_run(experiment_id, start_time=since + day)
    shared_server.post("runs/update", {"run_id": bad, "status": "FAILED"})
    gone = shared_server.new_run(experiment_id, start_time=since)
    shared_server.post("runs/delete", {"run_id": gone})
    url = f"{shared_server.url}/api/logbuch/1/experiments/activity"
    found = httpx.get(url, params={"since": since}).json()["experiments"][experiment_id]
    assert found == {"runs": [2, 1, *[0] * 11, 1], "failed": [0, 1, *[0] * 12]}
    assert experiment_id not in httpx.get(url, params={"since": since + 20 * day, "days": 1}).json()["experiments"]
    for wrong in ({"since": since, "days": 0}, {"since": since, "days": 367}, {"since": -1}, {"since": 2**60}, {}):
        assert httpx.get(url, params=wrong).status_code == 400, wrong
