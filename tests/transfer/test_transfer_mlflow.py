"""``logbuch import mlflow``: installations of the real MLflow, compared through its own client on both sides."""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from logbuch.cli.main import cli
from logbuch.errors import LogbuchError
from logbuch.store import open_store
from support.servers import Server
from transfer.conftest import LONG, PATIENCE, Installation, held, look, restored

Installations = Callable[[int, str], Installation]
pytestmark = PATIENCE
KILLS, LAST_KILL = (10, 6.0) if LONG else (3, 1.5)
"""How often an import is killed, and after how many seconds at the latest."""

PAGE, TABLE = 4096, 13
"""The size of a SQLite page, and the first byte of one that holds rows of a table."""


def bring(source: str, store: Path, *more: str) -> Result:
    arguments = ["import", "mlflow", source, "--backend-store-uri", f"sqlite:///{store}/logbuch.db"]
    return CliRunner().invoke(cli, [*arguments, "--report", str(store / "report.json"), *more])


def report(store: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((store / "report.json").read_text())
    return found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


def seen_here(store: Path, major: int, home: Path) -> dict[str, Any]:
    server = Server(store, f"sqlite:///{store}/logbuch.db").start()
    try:
        return restored(look(major, server.url, home))
    finally:
        server.stop()


def contents(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.parent.name != ".cache"
    }


@pytest.mark.slow
@pytest.mark.parametrize(("major", "kind"), [(2, "sqlite"), (3, "sqlite"), (2, "mlruns"), (3, "mlruns")])
def test_every_value_is_there(major: int, kind: str, installations: Installations, store: Path, tmp_path: Path) -> None:
    installation = installations(major, kind)
    wanted = restored(installation.seen)
    before = contents(installation.home)
    done = bring(installation.place, store)
    assert done.exit_code == 0, done.output
    assert contents(installation.home) == before
    found = seen_here(store, major, tmp_path)
    for name, experiment in wanted["experiments"].items():
        if name == "Default" and kind == "mlruns":
            experiment["id"] = found["experiments"][name]["id"]
        assert found["experiments"][name] == experiment
    assert found["runs"].keys() == wanted["runs"].keys()
    for run_id, run in wanted["runs"].items():
        if kind == "mlruns" and "acc" in run["history"]:  # MLflow has it in the file and does not read it
            assert run["history"]["acc"] == [[0, 1700000000003, "0.75"]]
            run["history"]["acc"] = [[3, 1700000000003, "0.75"]]
        assert found["runs"][run_id] == run
    assert found["models"].keys() == wanted["models"].keys()
    for name, model in wanted["models"].items():
        for mine, theirs in zip(found["models"][name]["versions"], model["versions"], strict=True):
            assert mine == theirs
        assert found["models"][name] == model
    assert found["logged"] == wanted["logged"]
    again = bring(installation.place, store)
    assert again.exit_code == 0, again.output
    counts = report(store)
    assert counts["already_there"]["points"] == counts["source"]["points"] == counts["target"]["points"]
    assert counts["already_there"]["files"] == counts["source"]["files"] == (2 if major == 2 else 4)
    assert counts["source"]["versions"] == counts["target"]["versions"] == (2 if major == 2 else 3)


@pytest.mark.slow
def test_an_import_over_a_server_is_the_same(
    installations: Installations, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    installation, server = installations(3, "sqlite"), make_server()
    arguments = ["import", "mlflow", installation.place, "--tracking-uri", server.url]
    for _ in range(2):
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == 0, done.output
    wanted, found = restored(installation.seen), restored(look(3, server.url, tmp_path))
    assert found["runs"] == wanted["runs"]
    for name, experiment in wanted["experiments"].items():
        assert found["experiments"][name]["tags"] == experiment["tags"]
        assert found["experiments"][name]["stage"] == experiment["stage"]


@pytest.mark.slow
def test_a_running_server_is_a_source(
    installations: Installations, make_server: Callable[..., Server], store: Path, tmp_path: Path
) -> None:
    first = make_server()
    assert (
        CliRunner()
        .invoke(cli, ["import", "mlflow", installations(3, "sqlite").place, "--tracking-uri", first.url])
        .exit_code
        == 0
    )
    done = bring(first.url, store)
    assert done.exit_code == 0, done.output
    wanted = restored(look(3, first.url, tmp_path))
    assert seen_here(store, 3, tmp_path)["runs"] == wanted["runs"]


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_it_ends_the_same(installations: Installations, tmp_path: Path) -> None:
    installation = installations(3, "sqlite")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    assert bring(installation.place, whole).exit_code == 0
    command = [sys.executable, "-m", "logbuch", "import", "mlflow", installation.place]
    command += ["--backend-store-uri", f"sqlite:///{broken}/logbuch.db"]
    chance = random.Random(8)
    for _ in range(KILLS):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.3, LAST_KILL))
        process.kill()
        process.wait()
    done = bring(installation.place, broken)
    assert done.exit_code == 0, done.output
    assert held(broken) == held(whole)
    assert contents(broken / "artifacts") == contents(whole / "artifacts")


def test_what_is_damaged_is_named_and_the_rest_is_imported(
    copied: Callable[[int, str], Installation], store: Path
) -> None:
    installation = copied(2, "mlruns")
    root = Path(installation.place)
    metric = next(file for file in sorted(root.glob("*/*/metrics/loss")) if file.stat().st_size > 5000)
    metric.write_bytes(metric.read_bytes()[:-9])
    garbage = next(file for file in sorted(root.glob("0/*/metrics/loss")) if file != metric)
    garbage.write_bytes(b"no number here\n" + garbage.read_bytes())
    torn = sorted(root.glob("0/*/params/place"))[0]  # not in the run that is lost whole
    torn.write_bytes(b"\xff\xfe\x00")
    meta = sorted(root.glob("0/*/meta.yaml"))[-1]
    meta.write_text("run_id: [unclosed")
    done = bring(installation.place, store)
    assert done.exit_code == 1, done.output
    counts = report(store)
    told = "\n".join(counts["missing"])
    for file in (metric, garbage, torn, meta):
        assert str(file) in told
    assert len(counts["missing"]) == 4, told
    assert counts["target"]["runs"] == 11
    assert counts["target"]["points"] == 499 + 12 + 1 + 1 + 5 * 40


def test_a_damaged_database_gives_what_can_be_read(copied: Callable[[int, str], Installation], store: Path) -> None:
    installation = copied(3, "sqlite")
    file = installation.home / "mlflow.db"
    content = bytearray(file.read_bytes())
    pages = [
        at for at in range(0, len(content), PAGE) if content[at] == TABLE and b"val/acc" in content[at : at + PAGE]
    ]
    content[pages[-1] : pages[-1] + PAGE] = bytes(PAGE)
    file.write_bytes(content)
    done = bring(installation.place, store)
    assert done.exit_code == 1, done.output
    counts = report(store)
    assert counts["missing"]
    assert counts["target"]["runs"] > 5
    assert contents(installation.home)["mlflow.db"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("some.db", b"", "is empty"),
        ("some.db", b"SQLite format 3\0" + bytes(84), "cannot be read"),
        ("some.db", b"no database at all" * 100, "cannot be read"),
        ("folder/file.txt", b"x", "is no mlruns folder"),
    ],
)
def test_what_is_no_installation_is_refused_in_one_line(
    name: str, content: bytes, why: str, store: Path, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    error = bring(str(file if name.endswith(".db") else file.parent), store).exception
    assert isinstance(error, LogbuchError), error
    assert why in error.message
    assert "\n" not in error.message
    assert not (store / "logbuch.db").exists()


def test_a_logbuch_database_is_no_mlflow_database(store: Path, tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/own.db").close()
    error = bring(str(tmp_path / "own.db"), store).exception
    assert isinstance(error, LogbuchError)
    assert "Logbuch" in error.message


def test_artifacts_below_the_root_are_left_where_they_lie(installations: Installations, store: Path) -> None:
    installation = installations(3, "sqlite")
    root = installation.home / "artifacts"
    before = contents(root)
    done = bring(installation.place, store, "--default-artifact-root", str(root))
    assert done.exit_code == 0, done.output
    assert report(store)["notes"]["artifacts that were left where they lie"] == 4

    assert contents(root) == before


def test_values_that_the_store_has_already_stay(copied: Callable[[int, str], Installation], store: Path) -> None:
    installation = copied(3, "sqlite")
    assert bring(installation.place, store).exit_code == 0
    with sqlite3.connect(installation.home / "mlflow.db") as connection:
        connection.execute("UPDATE tags SET value = 'other' WHERE key = 'phase'")
        connection.execute("UPDATE runs SET status = 'FINISHED', end_time = 1700000009999 WHERE status = 'RUNNING'")
        run_id = connection.execute("SELECT run_uuid FROM runs WHERE name = 'child'").fetchone()[0]
        connection.execute(f"INSERT INTO metrics VALUES ('loss', 0.125, 1700000000003, '{run_id}', 2, 0)")
    connection.close()
    done = bring(installation.place, store)
    assert done.exit_code == 1
    assert ["phase" in text for text in report(store)["missing"]] == [True]
    found = held(store)[run_id]
    assert (found[0].status, found[0].end_time) == ("FINISHED", 1700000009999)
    assert len(found[3]["loss"][0]) == 16
