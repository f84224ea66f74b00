"""``logbuch export mlflow``: into a real MLflow server, compared through its client on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from logbuch.cli.main import cli
from logbuch.errors import LogbuchError
from logbuch.store import open_store
from logbuch.transfer.targets import mlflow_process
from support.mlflow_server import PYTHON, mlflow_server
from support.servers import Server
from transfer.conftest import PATIENCE, Installation, look, restored

pytestmark = PATIENCE


@pytest.fixture
def stock(tmp_path: Path) -> Iterator[str]:
    with mlflow_server(tmp_path / "mlflow") as address:
        yield address


@pytest.mark.slow
def test_what_moved_in_moves_out_again(
    installations: Callable[[int, str], Installation],
    make_server: Callable[..., Server],
    stock: str,
    tmp_path: Path,
) -> None:
    server = make_server()
    place = ["--backend-store-uri", server.store_uri, "--default-artifact-root", str(server.folder / "artifacts")]
    done = CliRunner().invoke(cli, ["import", "mlflow", installations(3, "sqlite").place, *place])
    assert done.exit_code == 0, done.output
    for _ in range(2):
        done = CliRunner().invoke(cli, ["export", "mlflow", stock, *place])
        assert done.exit_code == 0, (done.output, done.exception)
    _compare(restored(look(3, server.url, tmp_path)), restored(look(3, stock, tmp_path)))


@pytest.mark.slow
def test_a_database_that_is_not_there_yet_takes_everything(
    installations: Callable[[int, str], Installation], make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server, fresh, mlflow = make_server(), tmp_path / "fresh" / "mlflow.db", str(PYTHON.with_name("mlflow"))
    fresh.parent.mkdir()
    place = ["--backend-store-uri", server.store_uri, "--default-artifact-root", str(server.folder / "artifacts")]
    done = CliRunner().invoke(cli, ["import", "mlflow", installations(3, "sqlite").place, *place])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(cli, ["export", "mlflow", str(fresh), "--mlflow", mlflow, *place])
    assert done.exit_code == 0, (done.output, done.exception)
    files = fresh.parent / "mlartifacts"
    shown = f"mlflow server --backend-store-uri sqlite:///{fresh} --artifacts-destination {files}"
    assert shown in done.output
    with mlflow_process.served(mlflow, f"sqlite:///{fresh}", files) as address:
        found = restored(look(3, address, tmp_path))
    _compare(restored(look(3, server.url, tmp_path)), found)
    # What it made is an installation like any other.
    there = f"sqlite:///{tmp_path}/back/logbuch.db"
    done = CliRunner().invoke(cli, ["import", "mlflow", str(fresh), "--backend-store-uri", there])
    assert done.exit_code == 0, done.output


def test_what_is_no_mlflow_database_is_not_written(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/logbuch.db"
    open_store(uri).close()
    before = (tmp_path / "logbuch.db").read_bytes()
    (tmp_path / "text.db").write_text("no database at all" * 100)
    for name, why in (("logbuch.db", "is Logbuch's"), ("text.db", "cannot be read")):
        error = (
            CliRunner().invoke(cli, ["export", "mlflow", str(tmp_path / name), "--backend-store-uri", uri]).exception
        )
        assert isinstance(error, LogbuchError)
        assert why in error.message
    error = (
        CliRunner()
        .invoke(cli, ["import", "mlflow", str(tmp_path / "logbuch.db"), "--backend-store-uri", uri])
        .exception
    )
    assert isinstance(error, LogbuchError)
    assert "is Logbuch's own: copy it with logbuch backup and restore" in error.message
    assert (tmp_path / "logbuch.db").read_bytes() == before


def test_without_mlflow_or_with_one_that_fails_it_says_so(tmp_path: Path) -> None:
    uri, fresh = f"sqlite:///{tmp_path}/logbuch.db", str(tmp_path / "fresh.db")
    open_store(uri).close()
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho no such schema >&2\nexit 3\n")
    broken.chmod(0o755)
    for program, why in ((str(tmp_path / "none"), "There is no command"), (str(broken), "no such schema")):
        done = CliRunner().invoke(cli, ["export", "mlflow", fresh, "--mlflow", program, "--backend-store-uri", uri])
        assert isinstance(done.exception, LogbuchError)
        assert why in done.exception.message
        assert not Path(fresh).exists()


def _compare(wanted: dict[str, Any], found: dict[str, Any]) -> None:
    names = {run["tags"].pop("logbuch.run_id"): run_id for run_id, run in found["runs"].items()}
    assert names.keys() == wanted["runs"].keys()
    models = {model["tags"].pop("logbuch.model_id"): id_ for id_, model in found["logged"].items()}
    for run_id, run in wanted["runs"].items():
        run["used"] = [models[id_] for id_ in run["used"]]
        run["made"] = [[models[id_], step] for id_, step in run["made"]]
        assert _without_parent(found["runs"][names[run_id]]) == _without_parent(run)
        parent = run["tags"].get("mlflow.parentRunId")
        assert found["runs"][names[run_id]]["tags"].get("mlflow.parentRunId") == (names[parent] if parent else None)
    _compare_models(wanted, found, names | models)
    for name, experiment in wanted["experiments"].items():
        there = found["experiments"][name]
        assert (there["stage"], there["tags"]) == (experiment["stage"], experiment["tags"])


def _without_parent(run: dict[str, Any]) -> dict[str, Any]:
    return run | {"tags": {key: value for key, value in run["tags"].items() if key != "mlflow.parentRunId"}}


def _compare_models(wanted: dict[str, Any], found: dict[str, Any], ids: dict[str, str]) -> None:
    """Models there are as here, but for times and the IDs that MLflow has given them."""
    times = {"creation_timestamp": 0, "last_updated_timestamp": 0}
    for model in wanted["logged"].values():
        own = {"model_id": ids[model["model_id"]], "source_run_id": ids[model["source_run_id"]]}
        metrics = [[*point[:4], ids[point[4]], *point[5:]] for point in model["metrics"]]
        found["logged"][own["model_id"]]["tags"].pop("mlflow.modelVersions", None)  # the server's own note
        assert found["logged"][own["model_id"]] | times == model | own | times | {"metrics": metrics}
    assert found["models"].keys() == wanted["models"].keys()
    for name, model in wanted["models"].items():
        there = found["models"][name]
        for one in (*model["versions"], *there["versions"]):
            one |= times
        for one in model["versions"]:
            one["run_id"] = ids[one["run_id"]]
            scheme, id_, *path = one["source"].replace(":/", "/").split("/")
            one["source"] = "/".join([f"{scheme}:", ids[id_], *path])
        assert there | times == model | times
