"""``logbuch export mlflow``: into a real MLflow server, compared through its client on both sides."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from logbuch.cli.main import cli
from support.ports import free_port
from support.servers import Server
from transfer.conftest import Installation, look, python, restored


@pytest.fixture
def mlflow_server(tmp_path: Path) -> Iterator[str]:
    """A fresh MLflow 3 server on a SQLite file."""
    home = tmp_path / "mlflow"
    home.mkdir()
    port = free_port()
    command = [str(python(3)), "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", str(home / "files")]
    own = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "LOGBUCH_"))}
    own |= {"HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": f"{python(3).parent}:{own['PATH']}"}
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env=own, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(900):
            try:
                if httpx.get(f"{address}/health").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        else:
            pytest.fail((home / "server.log").read_text()[-3000:])
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its workers too
        process.wait(20)


@pytest.mark.slow
def test_what_moved_in_moves_out_again(
    installations: Callable[[int, str], Installation],
    make_server: Callable[..., Server],
    mlflow_server: str,
    tmp_path: Path,
) -> None:
    server = make_server()
    place = ["--backend-store-uri", server.store_uri, "--default-artifact-root", str(server.folder / "artifacts")]
    done = CliRunner().invoke(cli, ["import", "mlflow", installations(3, "sqlite").place, *place])
    assert done.exit_code == 0, done.output
    for _ in range(2):
        done = CliRunner().invoke(cli, ["export", "mlflow", mlflow_server, *place])
        assert done.exit_code == 0, (done.output, done.exception)
    wanted, found = restored(look(3, server.url, tmp_path)), restored(look(3, mlflow_server, tmp_path))
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
