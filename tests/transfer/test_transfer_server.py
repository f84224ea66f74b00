"""Folders of other trackers onto a running server: what is there then is what an import into a database gives."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.moving import fill
from click.testing import CliRunner

from logbuch.cli.main import cli
from logbuch.errors import Unavailable
from logbuch.transfer.targets.logbuch_server import LogbuchServer
from support.servers import Server
from transfer.conftest import STABILITY_TAG, held

FIXTURES = Path(__file__).parent / "fixtures"
RUNS, POINTS = 150, 1000
TABLE = "step,time,loss,note\n" + "".join(
    f"{step},{1_700_000_000 + step},{1 / (1 + step)},same\n" for step in range(700)
)


def call(*arguments: str) -> None:
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, (done.output, done.exception)


def exported(folder: Path) -> dict[str, Any]:
    """What an export holds, but for what the server gives itself: experiments, verdicts, the name as a tag."""
    runs = [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()]
    for run in runs:
        for tag in (STABILITY_TAG, "mlflow.runName"):
            run["tags"].pop(tag, None)
        del run["experiment_id"]
    names = ("metrics", "artifacts", "histograms", "output")
    files = [file for name in names for file in sorted((folder / name).rglob("*")) if file.is_file()]
    return {"runs": runs} | {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.fixture(params=["wandb", "tensorboard", "csv"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The kind of an import, and its folder."""
    if request.param != "csv":
        return request.param, str(FIXTURES / request.param)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "history.csv").write_text(TABLE)
    return "csv", str(tmp_path / "tables")


def test_a_server_gets_what_a_database_gets(
    source: tuple[str, str], make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server, uri = make_server(), f"sqlite:///{tmp_path}/store/logbuch.db"
    call("import", *source, "--backend-store-uri", uri)
    for _ in range(2):
        call("import", *source, "--tracking-uri", server.url)
    call("export", str(tmp_path / "here"), "--backend-store-uri", uri)
    call("export", str(tmp_path / "there"), "--tracking-uri", server.url)
    here, there = exported(tmp_path / "here"), exported(tmp_path / "there")
    assert here["runs"]
    assert there == here


def kept(store: Path) -> dict[str, Any]:
    """What runs hold, but for what a server notes on them."""
    return {
        run_id: (info.run_name, info.status, info.start_time, info.end_time, params, points)
        for run_id, (info, params, _, points, _) in held(store).items()
    }


def wait_for_runs(server: Server, process: subprocess.Popen[bytes], more_than: int) -> int:
    """Waits until an import has brought more runs, or has ended; how many there are."""
    while True:
        answer = server.post("runs/search", {"experiment_ids": ["1"], "max_results": 1000})
        found = len(answer.json().get("runs", ()))
        if found > more_than or process.poll() is not None:
            return found
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_on_either_side_and_run_again_it_ends_the_same(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    fill(tmp_path / "mlflow.db", RUNS, POINTS)
    call("import", "mlflow", str(tmp_path / "mlflow.db"), "--backend-store-uri", f"sqlite:///{tmp_path}/logbuch.db")
    server = make_server()
    arguments = ["import", "mlflow", str(tmp_path / "mlflow.db"), "--tracking-uri", server.url]
    command = [sys.executable, "-m", "logbuch", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        first = wait_for_runs(server, process, 0)
        process.kill()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        wait_for_runs(server, process, first)
        server.kill()
        told = process.communicate()[1].decode()
    assert process.returncode == 0 or (told.startswith("logbuch: ") and told.count("\n") == 1), told
    server.start()
    call(*arguments)
    server.stop()
    assert kept(server.folder) == kept(tmp_path)


def test_a_server_that_goes_away_is_told_with_what_helps(
    shared_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: object) -> None:
        raise Unavailable("No answer from the tracking server.")

    monkeypatch.setattr(LogbuchServer, "flush", gone)
    (tmp_path / "history.csv").write_text(TABLE)
    arguments = ("import", "csv", str(tmp_path / "history.csv"), "--tracking-uri", shared_server.url)
    error = CliRunner().invoke(cli, arguments).exception
    assert isinstance(error, Unavailable), error
    assert error.message == "No answer from the tracking server. Started again, the import goes on from here."
