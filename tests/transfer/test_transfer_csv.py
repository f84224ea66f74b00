"""``logbuch import csv``: rows of steps, of points and of runs, and what W&B and MLflow save as CSV."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from logbuch.cli.main import cli
from logbuch.errors import InvalidInput
from logbuch.model import Run, ViewType
from logbuch.store import Store, open_store, search
from logbuch.store.metrics import series


class Place:
    """A store that files are imported into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uri = f"sqlite:///{folder}/store/logbuch.db"

    def file(self, name: str, content: str) -> Path:
        path = self.folder / "data" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(content, encoding="utf-8")
        return path

    def bring(self, *arguments: object) -> Result:
        report = ["--report", str(self.folder / "report.json"), "--backend-store-uri", self.uri]
        return CliRunner().invoke(cli, ["import", "csv", *map(str, arguments), *report])

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return found

    def open(self) -> tuple[Store, dict[str, Run]]:
        store = open_store(self.uri, seal=False)
        found = store.read(search.experiments, "name = 'data'", [], 10, "", ViewType.ALL)[0]
        ids = [one.experiment_id for one in found]
        runs = store.read(search.runs, ids, "", [], 100, "", ViewType.ALL)[0]
        return store, {run.info.run_name: run for run in runs}

    def all_runs(self) -> list[Run]:
        store, _ = self.open()
        found = store.read(search.runs, ["1"], "", [], 100, "", ViewType.ALL)[0]
        store.close()
        return found

    def points(self) -> dict[tuple[str, str], list[tuple[int, int, float]]]:
        store, runs = self.open()
        found = {}
        for name, run in runs.items():
            for key in run.data.metrics:
                one = store.read(series.between, run.info.run_id, key)
                columns = (one.steps.tolist(), one.timestamps.tolist(), one.values.tolist())
                found[name, key] = list(zip(*columns, strict=True))
        store.close()
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_row_a_step_is_guessed_and_said(place: Place) -> None:
    file = place.file(
        "first.csv", "epoch,loss,val/acc,opt,time\n1,0.5,,adam,1700000000\n2,nan,0.75,adam,1700000001.5\n"
    )
    done = place.bring(file)
    assert done.exit_code == 0, done.output
    assert "a row a step: step 'epoch'; time 'time'; metrics 'loss', 'val/acc', 'opt'" in done.output
    found = place.points()
    assert found["first", "val/acc"] == [(2, 1_700_000_001_500, 0.75)]
    (one, two) = found["first", "loss"]
    assert one == (1, 1_700_000_000_000, 0.5)
    assert math.isnan(two[2])
    store, runs = place.open()
    assert runs["first"].data.params == {"opt": "adam"}
    assert runs["first"].info.end_time == 1_700_000_001_500
    store.close()


def test_a_row_a_point_with_runs_in_a_column(place: Place) -> None:
    content = "run;metric;step;value\na;loss;0;1.5\nb;loss;0;2\na;loss;1;1e-3\na;acc;1;inf\n"
    file = place.file("long.csv", content)
    assert place.bring(file).exit_code == 0
    assert place.points() == {
        ("a", "loss"): [(0, 0, 1.5), (1, 0, 0.001)],
        ("a", "acc"): [(1, 0, math.inf)],
        ("b", "loss"): [(0, 0, 2.0)],
    }


def test_columns_can_be_named(place: Place) -> None:
    file = place.file("own.tsv", "model\tn\tlr\tx\tdate\nnet\t10\t0.1\t3\t2026-01-02T03:04:05Z\n")
    done = place.bring(file, "--run", "model", "--step", "n", "--param", "lr", "--time", "date")
    assert done.exit_code == 0, done.output
    assert place.points() == {("net", "x"): [(10, 1_767_323_045_000, 3.0)]}
    store, runs = place.open()
    assert runs["net"].data.params == {"lr": "0.1"}
    store.close()


def test_lines_of_json_in_a_folder(place: Place) -> None:
    place.file("one.jsonl", '{"step": 1, "train": {"loss": 0.5}, "ok": true}\n{"step": 2, "train": {"loss": 0.25}}\n')
    place.file("two.jsonl", '{"step": 1, "train": {"loss": 0.125}}\n')
    assert place.bring(place.folder / "data").exit_code == 0
    found = place.points()
    assert found["one", "train.loss"] == [(1, 0, 0.5), (2, 0, 0.25)]
    assert found["one", "ok"] == [(1, 0, 1.0)]
    assert found["two", "train.loss"] == [(1, 0, 0.125)]


def test_files_of_one_name_are_runs_of_their_own(place: Place) -> None:
    for version in (0, 1):
        place.file(f"version_{version}/metrics.csv", f"step,loss\n0,{version}\n")
    done = place.bring(place.folder / "data")
    assert done.exit_code == 0, done.output
    assert place.points() == {
        ("version_0/metrics", "loss"): [(0, 0, 0.0)],
        ("version_1/metrics", "loss"): [(0, 0, 1.0)],
    }


def test_a_file_of_one_name_that_comes_later_is_another_run(place: Place) -> None:
    first, second = (place.file(f"{name}/metrics.csv", f"step,loss\n0,{name}\n") for name in ("1", "2"))
    for file in (first, second, first):
        assert place.bring(file, "--experiment", "data").exit_code == 0
    assert sorted(run.data.metrics["loss"] for run in place.all_runs()) == [1.0, 2.0]


def test_a_metric_of_json_lines_that_comes_late_is_there(place: Place) -> None:
    rows = [{"step": step, "loss": 1} | ({"eval/loss": 0.5, "lr": "x"} if step == 1500 else {}) for step in range(2000)]
    file = place.file("late.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    done = place.bring(file, "--param", "lr")
    assert done.exit_code == 0, done.output
    found = place.points()
    assert found["late", "eval/loss"] == [(1500, 0, 0.5)]
    assert len(found["late", "loss"]) == 2000
    (run,) = place.all_runs()
    assert run.data.params == {"lr": "x"}


def test_runs_of_one_name_in_wandbs_table_stay_apart(place: Place) -> None:
    table = "Name,State,Created,Runtime,lr,loss\n"
    table += "base,finished,2026-01-01T00:00:00Z,10,0.1,0.9\nbase,finished,2026-01-02T00:00:00Z,10,0.01,0.2\n"
    table += "base,finished,2026-01-02T00:00:00Z,10,0.02,0.3\n"
    file = place.file("table.csv", table)
    for _ in range(2):
        assert place.bring(file).exit_code == 0
    found = place.all_runs()
    assert sorted(run.data.metrics["loss"] for run in found) == [0.2, 0.3, 0.9]
    assert {run.info.run_name for run in found} == {"base"}


def test_one_bad_file_or_row_does_not_end_the_import(place: Place) -> None:
    place.file("good.csv", "step,time,loss\n0,1700000000,1\n1,0001-01-01T00:00:00+14:00,2\n2,1700000002,3\n")
    place.file("empty.csv", "")
    place.file("twice.csv", "a,a\n1,2\n")
    place.file("deep.jsonl", '{"a":' * 5000 + "1" + "}" * 5000 + '\n{"loss": ' + "1" * 5000 + '}\n{"loss": 4}\n')
    done = place.bring(place.folder / "data")
    assert done.exit_code == 1
    told = "\n".join(place.report["missing"])
    for part in ("empty.csv: ", "two columns 'a'", "line 3 of", "line 1 of", "line 2 of"):
        assert part in told, told
    found = place.points()
    assert [point[0] for point in found["good", "loss"]] == [0, 2]
    assert found["deep", "loss"] == [(0, 0, 4.0)]


def test_a_text_that_is_cut_is_told(place: Place) -> None:
    table = f"run_id,params.note,tags.long,metrics.loss\n{'ab' * 16},{'x' * 6001},{'y' * 8001},1\n"
    assert place.bring(place.file("runs.csv", table)).exit_code == 1
    told = "\n".join(place.report["missing"])
    assert "the end of param 'note'" in told
    assert "the end of tag 'long'" in told


def test_what_wandb_saves_of_a_chart_and_of_its_table(place: Place) -> None:
    chart = '"Step","swift-1 - loss","swift-1 - loss__MIN","swift-1 - loss__MAX","calm-2 - loss"\n'
    chart += '"0","1.5","1.4","1.6",""\n"1","","","","2.5"\n'
    done = place.bring(place.file("chart.csv", chart))
    assert done.exit_code == 0, done.output
    assert "W&B's chart" in done.output
    assert place.points() == {("swift-1", "loss"): [(0, 0, 1.5)], ("calm-2", "loss"): [(1, 0, 2.5)]}
    table = '"Name","State","Notes","User","Created","Runtime","lr","opt","loss"\n'
    table += '"swift-1","finished","-","ada","2026-01-02T03:04:05.000Z","30","0.1","adam","1.25"\n'
    done = place.bring(place.file("table.csv", table), "--experiment", "table")
    assert done.exit_code == 0, done.output
    assert "W&B's table" in done.output


def test_what_mlflow_saves_of_a_search(place: Place) -> None:
    id_ = "0123456789abcdef" * 2
    table = "run_id,experiment_id,status,artifact_uri,start_time,end_time,metrics.loss,params.lr,tags.mlflow.runName\n"
    table += f"{id_},1,FAILED,file:///x,2026-01-02 03:04:05+00:00,2026-01-02 03:05:05+00:00,0.5,0.1,best\n"
    done = place.bring(place.file("runs.csv", table))
    assert done.exit_code == 0, done.output
    store, runs = place.open()
    best = runs["best"]
    store.close()
    assert (best.info.run_id, best.info.status) == (id_, "FAILED")
    assert (best.info.end_time or 0) - best.info.start_time == 60_000
    assert (best.data.params, best.data.metrics) == ({"lr": "0.1"}, {"loss": 0.5})


def test_run_again_with_more_rows_nothing_is_taken_twice(place: Place) -> None:
    file = place.file("grows.csv", "step,loss\n1,0.5\n2,0.25\n")
    assert place.bring(file).exit_code == 0
    file.write_text(file.read_text() + "3,0.125\n")
    assert place.bring(file).exit_code == 0
    assert place.report["already_there"]["points"] == 2
    assert [point[0] for point in place.points()["grows", "loss"]] == [1, 2, 3]


def test_rows_that_are_none_are_named_and_the_rest_is_imported(place: Place) -> None:
    rows = "step,loss,word\n1,0.5,a\n2,0.25\nx,1,b\n4,0.125,b\n5,oops,c\n"
    broken = place.file("broken.jsonl", '{"step": 1, "loss": 2}\n{"step": \n[1]\n')
    done = place.bring(place.file("broken.csv", rows), broken)
    assert done.exit_code == 1
    told = "\n".join(place.report["missing"])
    for part in ("line 3 of", "it has 2 cells for 3 columns", "'x' is no step", "column 'word'", "column 'loss'"):
        assert part in told
    assert "line 2 of" in told
    assert "it is no object" in told
    found = place.points()
    assert [point[0] for point in found["broken.csv", "loss"]] == [1, 4]
    assert found["broken.jsonl", "loss"] == [(1, 0, 2.0)]


@pytest.mark.parametrize(
    ("name", "content", "more", "why"),
    [
        ("a.csv", "step,loss\n1,2\n", ("--step", "epoch"), "has no column 'epoch'"),
        ("a.csv", "key,x\n1,2\n", ("--key", "key"), "both --key and --value"),
        ("a.csv", "a,a\n1,2\n", (), "two columns 'a'"),
        ("a.csv", "", (), "no first line"),
        ("folder", "", (), "holds no file"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_one_line(
    name: str, content: str, more: tuple[str, ...], why: str, place: Place
) -> None:
    if name == "folder":
        path = place.folder / name
        path.mkdir()
    else:
        path = place.file(name, content)
    error = place.bring(path, *more).exception
    assert isinstance(error, InvalidInput), error
    assert why in error.message
    assert not (place.folder / "store").exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_table_in_any_encoding(encoding: str, place: Place) -> None:
    file = place.file("enc.csv", "")
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    text = "step;Größe;Verlust\r\n1;groß;0.5\r\n2;groß;0.25\r\n"
    file.write_bytes(mark + text.encode(encoding))
    done = place.bring(file)
    assert done.exit_code == 0, done.output
    said = {"utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "utf-16": "UTF-16", "cp1252": "Windows-1252"}.get(encoding)
    assert said is None or f"({said})" in done.output
    assert place.points() == {("enc", "Verlust"): [(1, 0, 0.5), (2, 0, 0.25)]}
    (run,) = place.all_runs()
    assert run.data.params == {"Größe": "groß"}


def test_a_torn_character_does_not_spoil_the_others_and_is_told(place: Place) -> None:
    file = place.file("torn.csv", "")
    file.write_bytes("step,größe,loss\n1,ä,0.5\n".encode() + b"2,\xe4,0.25\n")
    done = place.bring(file)
    assert done.exit_code == 1
    assert "1 characters of" in "\n".join(place.report["missing"])
    assert place.points()["torn", "loss"] == [(1, 0, 0.5), (2, 0, 0.25)]


def test_lines_of_json_in_utf_16(place: Place) -> None:
    file = place.file("shell.jsonl", "")
    file.write_bytes('{"step": 1, "größe": 0.5}\r\n{"step": 2, "größe": 0.25}\r\n'.encode("utf-16"))
    assert place.bring(file).exit_code == 0
    assert place.points() == {("shell", "größe"): [(1, 0, 0.5), (2, 0, 0.25)]}


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_decimal_commas_are_found_and_said(separator: str, place: Place) -> None:
    rows = [
        ["Schritt", "Datum", "Verlust", "Anzahl"],
        ["1", "02.01.2026 03:04:05", "-0,5", "3"],
        ["2", "02.01.2026 03:04:06", '"1.234,25"', "4"],
        ["3", "02.01.2026 03:04:07", "2,5e-3", "5"],
    ]
    file = place.file("excel.csv", "sep=" + separator + "\r\n" + "".join(separator.join(row) + "\r\n" for row in rows))
    done = place.bring(file, "--step", "Schritt", "--time", "Datum")
    assert done.exit_code == 0, done.output
    assert "(decimal commas)" in done.output
    time = 1_767_323_045_000
    found = place.points()
    assert found["excel", "Verlust"] == [(1, time, -0.5), (2, time + 1000, 1234.25), (3, time + 2000, 0.0025)]
    assert [point[2] for point in found["excel", "Anzahl"]] == [3.0, 4.0, 5.0]


def test_a_number_that_may_be_two_is_named(place: Place) -> None:
    file = place.file("either.csv", "step;loss\n1;0,5\n2;1.234\n3;0,25\n")
    done = place.bring(file)
    assert done.exit_code == 1
    (told,) = place.report["missing"]
    assert "column 'loss' in line 3 of" in told
    assert "'1.234' may be 1234 or 1,234" in told
    assert [point[2] for point in place.points()["either", "loss"]] == [0.5, 0.25]


def test_lists_with_commas_beside_numbers_with_points_are_texts(place: Place) -> None:
    file = place.file("lists.csv", "step;kernel;loss\n1;3,4;0.5\n2;3,4;0.25\n")
    done = place.bring(file)
    assert done.exit_code == 0, done.output
    assert "decimal" not in done.output
    (run,) = place.all_runs()
    assert run.data.params == {"kernel": "3,4"}
    assert [point[2] for point in place.points()["lists", "loss"]] == [0.5, 0.25]
