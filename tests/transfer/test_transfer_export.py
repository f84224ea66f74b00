"""``logbuch export`` and ``logbuch import export``: out, in elsewhere, out again, equal."""

from __future__ import annotations

import errno
import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from arro3.io import read_parquet
from click.testing import CliRunner, Result

from logbuch.cli.main import cli
from logbuch.errors import InvalidInput, LogbuchError
from logbuch.store import open_store
from logbuch.transfer.targets.export import ExportFolder
from support.servers import Server
from transfer.conftest import PATIENCE, Installation

Installations = Callable[[int, str], Installation]
pytestmark = PATIENCE


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def contents(folder: Path) -> dict[str, bytes]:
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    head = json.loads(files.pop("logbuch-export.json"))
    return files | {"holds": json.dumps(head["holds"], sort_keys=True).encode()}


@pytest.fixture
def filled(installations: Installations, tmp_path: Path) -> str:
    uri = f"sqlite:///{tmp_path}/first/logbuch.db"
    done = call("import", "mlflow", installations(3, "sqlite").place, "--backend-store-uri", uri)
    assert done.exit_code == 0, done.output
    return uri


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_exported_imported_elsewhere_and_exported_again_it_is_equal(
    kind: str, filled: str, tmp_path: Path, new_postgres: Callable[[], str]
) -> None:
    second = f"sqlite:///{tmp_path}/second/logbuch.db" if kind == "sqlite" else new_postgres()
    where = ("--backend-store-uri", second, "--default-artifact-root", str(tmp_path / "files"))
    assert call("export", str(tmp_path / "one"), "--backend-store-uri", filled).exit_code == 0
    for _ in range(2):
        done = call("import", "export", str(tmp_path / "one"), *where)
        assert done.exit_code == 0, done.output
    done = call("export", str(tmp_path / "two"), *where)
    assert done.exit_code == 0, done.output
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_any_program_can_read_it(filled: str, tmp_path: Path) -> None:
    done = call("export", str(tmp_path / "out"), "--backend-store-uri", filled)
    assert done.exit_code == 0, done.output
    runs = [json.loads(line) for line in (tmp_path / "out" / "runs.jsonl").read_text().splitlines()]
    best = next(run for run in runs if run["name"] == "best")
    assert best["params"]["lr"] == "0.1"
    assert best["datasets"][0]["tags"] == {"mlflow.data.context": "training"}
    table = read_parquet(str(tmp_path / "out" / "metrics" / "000001.parquet")).read_all()
    columns = {name: table.column(name).to_pylist() for name in table.schema.names}
    mine = [
        value
        for run_id, key, value in zip(columns["run_id"], columns["key"], columns["value"], strict=True)
        if (run_id, key) == (best["run_id"], "val/acc")
    ]
    assert mine[2:4] == [math.inf, -math.inf]
    assert math.isnan(mine[1])
    assert (tmp_path / "out" / "artifacts" / best["run_id"] / "plot.txt").read_text() == "a plot"


def test_a_search_result_and_a_running_server_can_be_exported(
    filled: str, tmp_path: Path, make_server: Callable[..., Server]
) -> None:
    chosen = ("--experiment", "vision", "--filter", "params.lr = '0.1'")
    done = call("export", str(tmp_path / "some"), "--backend-store-uri", filled, *chosen)
    assert done.exit_code == 0, done.output
    lines = (tmp_path / "some" / "runs.jsonl").read_text().splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["best"]
    wrong = ("--experiment", "vision", "--experiment", "visoin")
    server = make_server()
    for source in (("--backend-store-uri", filled), ("--tracking-uri", server.url)):
        done = call("export", str(tmp_path / "none"), *source, *wrong)
        assert done.exit_code == 1
        assert "There is no experiment 'vis" in str(done.exception)
        assert not (tmp_path / "none").exists()
    assert call("import", "export", str(tmp_path / "some"), "--tracking-uri", server.url).exit_code == 0
    done = call("export", str(tmp_path / "again"), "--tracking-uri", server.url, *chosen)
    assert done.exit_code == 0, done.output
    one, two = contents(tmp_path / "some"), contents(tmp_path / "again")
    for name in one.keys() - {"experiments.jsonl", "runs.jsonl", "logged_models.jsonl", "models.jsonl", "holds"}:
        assert two[name] == one[name]
    assert re.sub(' told by [^"]*', "", two["models.jsonl"].decode()) == one["models.jsonl"].decode()
    names = [json.loads(line)["model"]["name"] for line in two["logged_models.jsonl"].splitlines()]
    assert names == ["net"]  # a server does not tell of deleted ones


def test_a_torn_export_gives_what_can_be_read(filled: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call("export", str(out), "--backend-store-uri", filled).exit_code == 0
    lines = (out / "runs.jsonl").read_bytes().splitlines(keepends=True)
    (out / "runs.jsonl").write_bytes(b"".join([*lines[:-1], lines[-1][:30]]) + b"\n")
    done = call("import", "export", str(out), "--backend-store-uri", f"sqlite:///{tmp_path}/new/logbuch.db")
    assert done.exit_code == 1
    assert "runs of the source: it counts 11, and 10 could be read" in done.output
    (out / "logbuch-export.json").write_text("{")
    error = call(
        "import", "export", str(out), "--backend-store-uri", f"sqlite:///{tmp_path}/newer/logbuch.db"
    ).exception
    assert isinstance(error, InvalidInput)
    assert isinstance(call("export", str(out), "--backend-store-uri", filled).exception, InvalidInput)


def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/logbuch.db"
    open_store(uri).close()
    for arguments, why in (
        (("export", "/proc/out"), "/proc/out cannot be made"),
        (("backup", "/proc/all.backup"), "/proc/all.backup cannot be written"),
        (("backup", str(tmp_path / "none" / "all.backup")), "There is no folder"),
    ):
        error = call(*arguments, "--backend-store-uri", uri).exception
        assert isinstance(error, LogbuchError), (arguments, error)
        assert why in error.message
    for verb in (("export", str(tmp_path / "out")), ("import", "export", str(tmp_path))):
        done = call(*verb, "--backend-store-uri", uri, "--report", str(tmp_path / "none" / "report.json"))
        assert done.exit_code == 2
        assert "for the report" in done.output
    assert {file.name for file in tmp_path.iterdir() if not file.name.startswith("logbuch.db")} <= {"artifacts"}


def test_an_export_that_fails_midway_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = f"sqlite:///{tmp_path}/logbuch.db"
    open_store(uri).close()

    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(ExportFolder, "publish", full)
    error = call("export", str(tmp_path / "out"), "--backend-store-uri", uri).exception
    assert isinstance(error, LogbuchError), error
    assert error.message == f"{tmp_path / 'out'} cannot be written: No space left on device."
    assert {file.name for file in tmp_path.iterdir() if not file.name.startswith("logbuch.db")} <= {"artifacts"}
