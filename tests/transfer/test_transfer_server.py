"""Folders of other trackers onto a running server: what is there then is what an import into a database gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from logbuch.cli.main import cli
from support.servers import Server
from transfer.conftest import STABILITY_TAG

FIXTURES = Path(__file__).parent / "fixtures"
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
