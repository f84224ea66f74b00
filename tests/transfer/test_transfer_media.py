"""Histograms, console output and the audit trail of models: out, in elsewhere, out again, equal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from logbuch.cli.main import cli
from logbuch.registry import Caller
from logbuch.store import histograms, logs, open_store, runs
from logbuch.store.histograms import Histogram
from logbuch.store.registry import aliases, audit, models, versions
from logbuch.store.registry.versions import NewVersion
from logbuch.store.runs import NewRun
from logbuch.store.tx import LogLines
from logbuch.transfer.media import LEFT
from support.servers import Server

ADA = Caller(user="ada", address="10.0.0.7")


def call(*arguments: str) -> Result:
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done


def contents(folder: Path) -> dict[str, str]:
    names = ("histograms", "output", "models.jsonl")
    files = [file for name in names for file in (folder / name).rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): file.read_text() for file in [*files, folder / "models.jsonl"]}


@pytest.fixture
def filled(tmp_path: Path) -> tuple[str, list[str]]:
    """A store with two runs, of which the second is deleted, and a model with a history."""
    uri = f"sqlite:///{tmp_path}/first/logbuch.db"
    store = open_store(uri)
    ids = [store.write(runs.create, NewRun(experiment_id="0")).info.run_id for _ in range(2)]
    for run_id in ids:
        found = [Histogram("weights", step, 10 + step, [-1.0, 0.1, 2.5], [3.0, 4.0], step, 1) for step in range(3)]
        store.write(histograms.take, run_id, found)
        store.write(logs.append, run_id, LogLines("", "stdout", [1, 2], ["one", "\x1b[1mtwö"]))
        store.write(logs.append, run_id, LogLines("rank 1", "stderr", [3], ["three"], "50 %", 4, 7))
        store.write(logs.append, run_id, LogLines("", "stdout", [5], [""], "waiting", 6))
    store.write(models.create, "net", by=ADA)
    version = NewVersion(name="net", source=f"runs:/{ids[0]}/model", run_id=ids[0])
    store.write(versions.create, version, ADA)
    store.write(aliases.set_alias, "net", "champion", "1", ADA)
    store.write(aliases.delete_alias, "net", "champion", ADA)
    store.write(runs.delete, ids[1])
    store.close()
    return uri, ids


def test_an_export_holds_them(filled: tuple[str, list[str]], tmp_path: Path) -> None:
    uri, (run_id, _) = filled
    call("export", str(tmp_path / "out"), "--backend-store-uri", uri)
    lines = [json.loads(line) for line in (tmp_path / "out" / "output" / f"{run_id}.jsonl").read_text().splitlines()]
    assert lines == [
        {"time": 1, "stream": "stdout", "text": "one"},
        {"time": 2, "stream": "stdout", "text": "\x1b[1mtwö"},
        {"time": 3, "source": "rank 1", "stream": "stderr", "text": "three"},
        {"time": 5, "stream": "stdout", "text": ""},
        {"stream": "stdout", "dropped": 7},
        {"time": 6, "stream": "stdout", "open": "waiting"},
        {"time": 4, "source": "rank 1", "stream": "stderr", "open": "50 %"},
    ]
    first = (tmp_path / "out" / "histograms" / f"{run_id}.jsonl").read_text().splitlines()[0]
    wanted = {"key": "weights", "step": 0, "timestamp": 10, "edges": [-1.0, 0.1, 2.5], "counts": [3.0, 4.0]}
    assert json.loads(first) == wanted | {"infinite": 1}
    (model,) = [json.loads(line) for line in (tmp_path / "out" / "models.jsonl").read_text().splitlines()]
    told = [(entry["action"], entry["user"], entry["address"]) for entry in model["history"]]
    actions = ("model created", "version created", "alias set", "alias deleted")
    assert told == [(action, "ada", "10.0.0.7") for action in actions]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_moved_twice_they_are_equal(
    kind: str, filled: tuple[str, list[str]], tmp_path: Path, new_postgres: Callable[[], str]
) -> None:
    second = f"sqlite:///{tmp_path}/second/logbuch.db" if kind == "sqlite" else new_postgres()
    where = ("--backend-store-uri", second, "--default-artifact-root", str(tmp_path / "files"))
    call("export", str(tmp_path / "one"), "--backend-store-uri", filled[0])
    for _ in range(2):
        call("import", "export", str(tmp_path / "one"), *where)
    call("export", str(tmp_path / "two"), *where)
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_a_server_takes_and_gives_them(
    filled: tuple[str, list[str]], make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server()
    call("export", str(tmp_path / "one"), "--backend-store-uri", filled[0])
    for _ in range(2):
        call("import", "export", str(tmp_path / "one"), "--tracking-uri", server.url)
    call("export", str(tmp_path / "two"), "--tracking-uri", server.url)
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert re.sub(' told by 127.0.0.1 import from [^"]*', "", two.pop("models.jsonl")) == one.pop("models.jsonl")
    assert two == one


def test_what_has_come_since_is_added(filled: tuple[str, list[str]], tmp_path: Path) -> None:
    uri, (run_id, _) = filled
    second = f"sqlite:///{tmp_path}/second/logbuch.db"
    for number in range(2):
        call("export", str(tmp_path / f"out{number}"), "--backend-store-uri", uri)
        call("import", "export", str(tmp_path / f"out{number}"), "--backend-store-uri", second)
        store = open_store(uri)
        store.write(logs.append, run_id, LogLines("", "stdout", [7], ["more"], "still waiting", 8, 2))
        store.write(aliases.set_alias, "net", "late", "1", ADA)
        store.close()
    found = open_store(second, seal=False)
    page = found.read(logs.page, run_id, 0, None, 100)
    assert page.lines.texts == ["one", "\x1b[1mtwö", "three", "", "more"]
    assert (page.head.dropped, [line.text for line in page.head.open]) == (9, ["still waiting", "50 %"])
    assert [entry.alias for entry in found.read(audit.entries, "net")[0]][:2] == ["late", "champion"]
    found.close()


def test_a_damaged_line_is_lost_alone(filled: tuple[str, list[str]], tmp_path: Path) -> None:
    uri, (run_id, _) = filled
    call("export", str(tmp_path / "out"), "--backend-store-uri", uri)
    file = tmp_path / "out" / "histograms" / f"{run_id}.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], lines[1][:20], lines[2].replace("[3.0,4.0]", "[3.0]")]) + "\n")
    there = f"sqlite:///{tmp_path}/second/logbuch.db"
    done = CliRunner().invoke(cli, ["import", "export", str(tmp_path / "out"), "--backend-store-uri", there])
    assert done.exit_code == 1
    assert f"line 2 of histograms/{run_id}.jsonl" in done.output
    assert f"histograms of run {run_id}: A histogram must have an edge more than counts" in done.output
    store = open_store(there, seal=False)
    assert store.read(histograms.steps, run_id) == {"weights": [(0, 10)]}
    store.close()


def test_what_mlflow_has_no_place_for_is_counted(
    filled: tuple[str, list[str]], make_server: Callable[..., Server]
) -> None:
    server = make_server()  # which speaks MLflow's protocol too
    done = call("export", "mlflow", server.url, "--backend-store-uri", filled[0])
    assert f"note: {LEFT}: 2" in done.output
