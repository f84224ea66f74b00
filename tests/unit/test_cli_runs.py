"""``logbuch runs``: what it lists, of runs in a folder."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest
from click.testing import CliRunner, Result

import logbuch
from logbuch.cli.main import cli


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three runs of one experiment and one of another."""
    folder = str(tmp_path_factory.mktemp("runs") / "store")
    logbuch.set_tracking_uri(folder)
    logbuch.set_experiment("hello")
    for number, loss in enumerate([0.3, 0.1, math.nan]):
        with logbuch.start_run(run_name=f"run{number}"):
            logbuch.log_params({"lr": 10.0**-number, "model": "net"})
            logbuch.log_metrics({"eval/loss": loss, "system/cpu": 1.0})
    logbuch.set_experiment("other")
    with logbuch.start_run(run_name="far"):
        logbuch.set_tag("phase", "x" * 60)
    logbuch.flush()
    return folder


def ask(folder: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["runs", *arguments, "--tracking-uri", folder])


def table(folder: str, *arguments: str) -> list[list[str]]:
    done = ask(folder, *arguments)
    assert done.exit_code == 0, done.output
    return [line.split() for line in done.output.splitlines()]


def test_a_table_tells_what_differs(folder: str) -> None:
    found = table(folder, "hello", "--order-by", "metrics.eval/loss ASC")
    assert found[0] == ["run_id", "run_name", "status", "started", "lr", "eval/loss"]
    assert [(row[1], row[2], row[-2], row[-1]) for row in found[1:]] == [
        ("run1", "FINISHED", "0.1", "0.1"),
        ("run0", "FINISHED", "1.0", "0.3"),
        ("run2", "FINISHED", "0.01", "nan"),
    ]
    assert table(folder, "hello", "--limit", "1")[0][4:] == ["lr", "model", "eval/loss"]


def test_without_an_experiment_it_names_each_runs(folder: str) -> None:
    found = table(folder, "--column", "tags.phase", "--limit", "2")
    assert found[0] == ["run_id", "run_name", "experiment", "status", "started", "phase"]
    assert [row[1:3] for row in found[1:3]] == [["far", "other"], ["run2", "hello"]]
    assert (found[1][-1], found[2][-1]) == ("x" * 39 + "…", "–")
    assert found[3:] == ["… and more than these 2: see --limit.".split()]


def test_csv_has_everything_to_the_last_digit(folder: str) -> None:
    rows = list(csv.DictReader(io.StringIO(ask(folder, "hello", "--csv", "--filter", "params.lr < 0.5").output)))
    assert list(rows[0])[4:] == ["params.lr", "params.model", "metrics.eval/loss", "metrics.system/cpu"]
    assert [(row["run_name"], row["params.lr"], row["metrics.eval/loss"]) for row in rows] == [
        ("run2", "0.01", "nan"),
        ("run1", "0.1", "0.1"),
    ]


def test_ids_and_json_are_for_programs(folder: str) -> None:
    ids = ask(folder, "hello", "--ids", "--filter", "metrics.eval/loss < 1").output.split()
    assert [logbuch.LogbuchClient(folder).get_run(run_id).info.run_name for run_id in ids] == ["run1", "run0"]
    (one,) = json.loads(ask(folder, "hello", "--json", "--limit", "1").output)
    assert (one["run_name"], one["params"]["model"], one["metrics"]["eval/loss"]) == ("run2", "net", None)
    assert table(folder, "hello", "--filter", "metrics.eval/loss > 5") == [["No", "runs."]]
    assert ask(folder, "hello", "--ids", "--filter", "metrics.eval/loss > 5").output == ""


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (["nope"], 1, "There is no experiment 'nope'"),
        (["hello", "--filter", "metrics.loss <"], 1, "Invalid filter at character 15"),
        (["hello", "-c", "lr"], 2, "'lr': write params.KEY, metrics.KEY or tags.KEY."),
        (["hello", "--csv", "--ids"], 2, "Give one of --csv, --ids and --json."),
    ],
)
def test_what_cannot_be_is_said(folder: str, asked: list[str], code: int, said: str) -> None:
    done = ask(folder, *asked)
    assert done.exit_code == code
    assert said in (done.output if code == 2 else str(done.exception))
