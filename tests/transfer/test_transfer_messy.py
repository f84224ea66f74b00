"""MLflow installations as they are found: copied from another machine, linked, torn, locked, or something else."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from logbuch.cli.main import cli
from logbuch.errors import InvalidInput
from logbuch.store import Store, open_store, runs
from logbuch.store.metrics import series
from support.mlflow_tables import TABLES, made

RUN, OTHER = "0123456789abcdef" * 2, "fedcba9876543210" * 2
START = 1_700_000_000_000
FIXTURES = Path(__file__).parent / "fixtures"
_ALL = "-dac_override,-dac_read_search"
AS_ANYBODY = ("setpriv", f"--inh-caps={_ALL}", f"--bounding-set={_ALL}") if os.geteuid() == 0 else ()
"""Takes from root what lets it read every file."""


def bring(source: object, store: Path, *more: str) -> tuple[Result, dict[str, Any]]:
    """Imports a source: what the command answers, and its report."""
    report = store / "report.json"
    store.mkdir(exist_ok=True)
    arguments = ["import", "mlflow", str(source), "--backend-store-uri", f"sqlite:///{store}/logbuch.db"]
    done = CliRunner().invoke(cli, [*arguments, "--report", str(report), *more])
    return done, json.loads(report.read_text()) if report.exists() else {}


def bring_as_anybody(kind: str, source: Path, store: Path) -> subprocess.CompletedProcess[str]:
    """The same in a process for which the modes of folders hold."""
    command = [*AS_ANYBODY, sys.executable, "-m", "logbuch", "import", kind, str(source)]
    command += ["--backend-store-uri", f"sqlite:///{store}/store/logbuch.db"]
    return subprocess.run(command, capture_output=True, text=True, timeout=240)


def opened(store: Path) -> Store:
    return open_store(f"sqlite:///{store}/logbuch.db", seal=False)


def filled(folder: Path, name: str = "net") -> Path:
    """An ``mlruns`` folder with one experiment and one run in it."""
    experiment, run = folder / "7", folder / "7" / RUN
    for part in ("metrics", "params", "tags", "artifacts"):
        (run / part).mkdir(parents=True)
    (experiment / "meta.yaml").write_text(f"name: {name}\nexperiment_id: '7'\nlifecycle_stage: active\n")
    head = f"run_id: {RUN}\nrun_name: best\nstatus: 3\nstart_time: {START}\nend_time: {START + 9}\n"
    (run / "meta.yaml").write_text(head + f"artifact_uri: file:///home/ada/mlruns/7/{RUN}/artifacts\n")
    (run / "metrics" / "loss").write_text("".join(f"{START + step} {1 / (1 + step)} {step}\n" for step in range(20)))
    (run / "params" / "lr").write_text("0.1")
    (run / "tags" / "mlflow.runName").write_text("best")
    (run / "artifacts" / "plot.txt").write_text("a plot")
    return folder


# -- artifacts that are elsewhere by now -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "place", "more"),
    [
        (f"file:///home/ada/my%20work/mlruns/7/{RUN}/artifacts", f"mlruns/7/{RUN}/artifacts", False),
        (f"/srv/elsewhere/7/{RUN}/artifacts", f"mlartifacts/7/{RUN}/artifacts", False),
        (f"C:\\Users\\ada\\mlruns\\7\\{RUN}\\artifacts", f"copy/7/{RUN}/artifacts", True),
        (f"file:///C:/Users/ada/mlruns/7/{RUN}/artifacts", f"copy/mlruns/7/{RUN}/artifacts", True),
        (f"gs://bucket/some/where/7/{RUN}/artifacts", f"copy/where/7/{RUN}/artifacts", True),
        (f"s3://bucket/root/vision/{RUN}/artifacts", f"copy/{RUN}/artifacts", True),
        (f"mlflow-artifacts:/7/{RUN}/artifacts", f"copy/7/{RUN}/artifacts", True),
    ],
)
def test_artifacts_of_an_installation_that_was_copied_are_found(
    address: str, place: str, more: bool, tmp_path: Path
) -> None:
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "plot.txt").write_text("a plot")
    rows = f"""
    INSERT INTO experiments VALUES (7, 'moved', '', 'active', 1, 2);
    INSERT INTO runs VALUES ('{RUN}', 'one', 'me', 'FINISHED', 5, 9, 'active', '{address}', 7, NULL);
    INSERT INTO tags VALUES ('mlflow.loggedArtifacts', '[]', '{RUN}');
    """
    database = made(tmp_path / "mlflow.db", TABLES + rows)
    where = ("--source-artifacts", str(tmp_path / "copy")) if more else ()
    for _ in range(2):
        done, counts = bring(database, tmp_path / "store", *where)
        assert done.exit_code == 0, (done.output, done.exception)
    assert counts["already_there"]["files"] == counts["target"]["files"] == 1
    kept = tmp_path / "store" / "artifacts" / "7" / RUN / "artifacts" / "plot.txt"
    assert kept.read_text() == "a plot"


@pytest.mark.parametrize("address", [f"file:///gone/7/{RUN}/artifacts", f"gs://bucket/7/{RUN}/artifacts", "dbfs:/x"])
def test_artifacts_that_are_nowhere_are_named_with_what_helps(address: str, tmp_path: Path) -> None:
    rows = f"""
    INSERT INTO experiments VALUES (7, 'moved', '', 'active', 1, 2);
    INSERT INTO runs VALUES ('{RUN}', 'one', 'me', 'FINISHED', 5, 9, 'active', '{address}', 7, NULL);
    INSERT INTO tags VALUES ('mlflow.loggedArtifacts', '[]', '{RUN}');
    """
    done, counts = bring(made(tmp_path / "mlflow.db", TABLES + rows), tmp_path / "store")
    assert done.exit_code == 1
    (told,) = counts["missing"]
    assert told.startswith(f"artifacts of run {RUN}: ")
    assert told.endswith("--source-artifacts says")
    assert counts["target"]["runs"] == 1


# -- databases ---------------------------------------------------------------------------------------------------------

ROWS = f"""
INSERT INTO experiments VALUES (7, 'moved', '', 'active', 1, 2);
INSERT INTO runs VALUES ('{RUN}', 'one', 'me', 'FINISHED', 5, 9, 'active', 'nowhere', 7, NULL);
WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < 4999)
  INSERT INTO metrics SELECT 'loss', x / 8.0, x, '{RUN}', x, 0 FROM n;
"""
KILLED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA cache_size=5")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE metrics SET value = -1")
connection.execute("COMMIT") if sys.argv[2] == "commit" else None
os.kill(os.getpid(), 9)
"""


def sums(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def values(store: Path) -> list[float]:
    with closing(opened(store)) as there:
        found: list[float] = there.read(series.between, RUN, "loss").values.tolist()
        return found


def test_a_database_that_was_left_amid_a_write_is_read_as_it_was_before(tmp_path: Path) -> None:
    home = tmp_path / "mlflow"
    home.mkdir()
    database = made(home / "mlflow.db", TABLES + ROWS)
    subprocess.run([sys.executable, "-c", KILLED, database, "kill"])
    before = sums(home)
    assert before.keys() == {"mlflow.db", "mlflow.db-journal"}
    done, counts = bring(database, tmp_path / "store")
    assert done.exit_code == 0, (done.output, done.exception)
    assert sum(count for what, count in counts["notes"].items() if "amid a write" in what) == 1
    assert values(tmp_path / "store") == [step / 8 for step in range(5000)]
    assert sums(home) == before


@pytest.mark.parametrize("left", ["kill", "commit"])
def test_a_database_with_a_write_ahead_log_is_read_without_a_trace(left: str, tmp_path: Path) -> None:
    home = tmp_path / "mlflow"
    home.mkdir()
    database = made(home / "mlflow.db", TABLES + ROWS + "PRAGMA journal_mode=WAL;")
    before = sums(home)
    assert bring(database, tmp_path / "first")[0].exit_code == 0
    assert values(tmp_path / "first") == [step / 8 for step in range(5000)]
    assert sums(home) == before
    subprocess.run([sys.executable, "-c", KILLED, database, left])
    before = sums(home)
    assert bring(database, tmp_path / "second")[0].exit_code == 0
    assert values(tmp_path / "second") == [-1.0 if left == "commit" else step / 8 for step in range(5000)]
    after = sums(home)
    assert {name: after[name] for name in ("mlflow.db", "mlflow.db-wal")} == {
        name: before[name] for name in ("mlflow.db", "mlflow.db-wal")
    }


def test_a_database_that_another_program_keeps_locked_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logbuch.transfer.sources.sqlite_file.BUSY_SECONDS", 0.2)
    database = made(tmp_path / "mlflow.db", TABLES + ROWS)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done, _ = bring(database, tmp_path / "store")
        assert isinstance(done.exception, InvalidInput), done.exception
        assert done.exception.message.endswith("is locked by another program; try again when it is done")
    assert bring(database, tmp_path / "store")[0].exit_code == 0


# -- mlruns folders ----------------------------------------------------------------------------------------------------


def test_experiments_that_are_links_are_followed_and_links_of_files_are_named(tmp_path: Path) -> None:
    filled(tmp_path / "disk")
    root = tmp_path / "mlruns"
    (root / "0").mkdir(parents=True)
    (root / "0" / "meta.yaml").write_text("name: Default\nexperiment_id: '0'\nlifecycle_stage: active\n")
    (root / "7").symlink_to(tmp_path / "disk" / "7")
    (root / "8").symlink_to(tmp_path / "unmounted")
    (tmp_path / "secret").write_text("top")
    (tmp_path / "disk" / "7" / RUN / "params" / "odd").symlink_to(tmp_path / "secret")
    done, counts = bring(root, tmp_path / "store")
    assert done.exit_code == 1, done.output
    told = "\n".join(counts["missing"])
    assert len(counts["missing"]) == 2, told
    assert f"{root / '8'}: it is a link to what is not there" in told
    assert "params/odd: it is a link, and is not followed" in told
    assert counts["notes"]["folders that are links, and were followed"] == 1
    assert (counts["target"]["runs"], counts["target"]["points"], counts["target"]["files"]) == (1, 20, 1)


def test_what_a_file_manager_leaves_behind_is_no_param(tmp_path: Path) -> None:
    root = filled(tmp_path / "mlruns")
    for place in (root, root / "7", root / "7" / RUN / "params", root / "7" / RUN / "metrics"):
        (place / ".DS_Store").write_bytes(b"\0\0\0\1Bud1\xff\xfe")
    (root / "7" / RUN / "tags" / "._mlflow.runName").write_bytes(b"\0\5\x16\7")
    done, counts = bring(root, tmp_path / "store")
    assert done.exit_code == 0, done.output
    assert counts["notes"]["files that a file manager has left, and nobody has logged"] >= 3
    assert (counts["target"]["params"], counts["target"]["points"]) == (1, 20)


@pytest.mark.parametrize("meta", [b"", b"run_id: [unclosed", b"\xff\xfe\0", None])
def test_a_run_without_its_head_keeps_all_else(meta: bytes | None, tmp_path: Path) -> None:
    root = filled(tmp_path / "mlruns")
    file = root / "7" / RUN / "meta.yaml"
    whole = file.read_bytes()
    file.unlink() if meta is None else file.write_bytes(meta)
    done, counts = bring(root, tmp_path / "store")
    assert done.exit_code == 1
    (told,) = counts["missing"]
    assert told.startswith(f"{file}: ")
    with closing(opened(tmp_path / "store")) as store:
        run = store.read(runs.get, RUN)
        assert (run.info.run_name, run.info.status, run.data.params) == ("best", "KILLED", {"lr": "0.1"})
        assert len(store.read(series.between, RUN, "loss")) == 20
    file.write_bytes(whole)  # mended, it is taken over with the next import
    done, counts = bring(root, tmp_path / "store")
    assert (done.exit_code, counts["already_there"]["points"]) == (0, 20), done.output


def test_an_experiment_without_its_head_keeps_its_runs(tmp_path: Path) -> None:
    root = filled(tmp_path / "mlruns")
    (root / "7" / "meta.yaml").write_bytes(b"")
    shutil.copytree(root / "7" / RUN, root / "9" / OTHER)
    (root / "9" / "meta.yaml").write_text("name: nine\nexperiment_id: '9'\nlifecycle_stage: active\n")
    head = root / "9" / OTHER / "meta.yaml"
    head.write_text(head.read_text().replace(RUN, OTHER))
    done, counts = bring(root, tmp_path / "store")
    assert done.exit_code == 1
    assert counts["missing"] == [f"{root / '7' / 'meta.yaml'}: it is torn: it describes nothing"]
    assert (counts["target"]["experiments"], counts["target"]["runs"], counts["target"]["points"]) == (2, 2, 40)


def test_a_folder_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    root = filled(tmp_path / "mlruns")
    shutil.copytree(root / "7", root / "9")
    shutil.rmtree(root / "9" / RUN)
    shut = [root / "9", root / "7" / RUN / "params"]
    for folder in shut:
        folder.chmod(0)
    try:
        done = bring_as_anybody("mlflow", root, tmp_path)
    finally:
        for folder in shut:
            folder.chmod(0o700)
    assert done.returncode == 1, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("missing:")]
    assert [line.endswith("Permission denied") for line in told] == [True, True], done.stdout
    assert "points                    20            20" in done.stdout


@pytest.mark.parametrize("part", ["7", f"7/{RUN}"])
def test_a_part_of_an_mlruns_folder_is_refused_with_the_whole(part: str, tmp_path: Path) -> None:
    root = filled(tmp_path / "mlruns")
    done, _ = bring(root / part, tmp_path / "store")
    assert isinstance(done.exception, InvalidInput), done.exception
    assert done.exception.message.endswith(f"is a part of an mlruns folder: name the whole, {root}.")


def test_of_a_folder_its_databases_are_told(tmp_path: Path) -> None:
    home = tmp_path / "project"
    home.mkdir()
    with sqlite3.connect(home / "mlflow.db") as connection:
        connection.executescript(TABLES + "CREATE TABLE alembic_version (a); CREATE TABLE latest_metrics (run_uuid);")
    connection.close()
    done, _ = bring(home, tmp_path / "store")
    assert isinstance(done.exception, InvalidInput)
    assert done.exception.message.endswith(f"logbuch import mlflow {home}/mlflow.db")
    filled(home / "mlruns")
    done, counts = bring(home, tmp_path / "store")
    assert done.exit_code == 0
    assert f"logbuch import mlflow {home}/mlflow.db" in "".join(counts["read"])
    done, counts = bring(f"file:{home}/mlruns".replace("project", "pro%6Aect"), tmp_path / "store")
    assert (done.exit_code, counts["already_there"]["points"]) == (0, 20)


def test_names_that_are_no_text_do_not_end_the_report(tmp_path: Path) -> None:
    root = filled(tmp_path / "mlruns")
    (root / "7" / RUN / "params" / "gr\udcf6\udcdfe").write_text("5")
    (root / "7" / RUN / "artifacts" / "pl\udcf6t.txt").write_text("a plot")
    done, counts = bring(root, tmp_path / "store")
    assert done.exit_code == 1, (done.output, done.exception)
    assert len(counts["missing"]) == 2, counts["missing"]
    assert (counts["target"]["points"], counts["target"]["files"]) == (20, 1)


# -- folders of other trackers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "tensorboard", "wandb"])
def test_a_shut_folder_is_told_and_all_others_are_read(kind: str, tmp_path: Path) -> None:
    folder, shut = tmp_path / "logs", tmp_path / "logs" / "shut"
    shutil.copytree(FIXTURES / kind, folder) if kind != "csv" else folder.mkdir()
    (folder / "history.csv").write_text("step,loss\n1,0.5\n")
    shut.mkdir(mode=0)
    try:
        done = bring_as_anybody(kind, folder, tmp_path)
    finally:
        shut.chmod(0o700)
    assert done.returncode == 1, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("missing:")]
    assert told == [f"missing: {shut}: Permission denied"]
    assert list((tmp_path / "store").glob("logbuch.db"))


def test_linked_folders_of_tensorboards_are_told(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FIXTURES / "tensorboard", tmp_path / "logs"))
    (folder / "best").symlink_to(folder / "torch")
    arguments = ["import", "tensorboard", str(folder), "--backend-store-uri", f"sqlite:///{tmp_path}/logbuch.db"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 1, (done.output, done.exception)
    told = [line for line in done.output.splitlines() if line.startswith("missing:")]
    assert told == [f"missing: {folder / 'best'}: it is a link to a folder, and is not followed: import it by itself"]
