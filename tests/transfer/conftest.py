"""MLflow installations made by MLflow itself, 2.x and 3.x, and what its client sees on either side of a move."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from logbuch.model import ViewType
from logbuch.store import open_store, search
from logbuch.store.metrics import series

CLIENTS = Path(__file__).parent / "clients"
ROOT = Path(__file__).parents[2]
STABILITY_TAG = "logbuch.stability"
"""What a Logbuch server notes on a run that has ended, wherever it came from."""
LONG = bool(os.environ.get("LOGBUCH_TEST_LONG"))
SIZE = ("993", "1010") if LONG else ("5", "40")
"""How many runs of how many points an installation has, besides seven runs of its own with 500 points."""
SECONDS = 3600 if LONG else 240
PATIENCE = pytest.mark.timeout(3 * SECONDS if LONG else 300)
LARGEST = repr(1.7976931348623157e308)


@dataclass(frozen=True)
class Installation:
    """What ``clients/install.py`` made with one version of MLflow; ``place`` is a URI or a folder."""

    major: int
    place: str
    home: Path

    @property
    def seen(self) -> dict[str, Any]:
        return look(self.major, self.place, self.home)


def python(major: int) -> Path:
    """The interpreter of one version's environment. A missing one is a failure: a skipped check checks nothing."""
    variable = f"LOGBUCH_TEST_MLFLOW{major}"
    found = Path(os.environ.get(variable, ROOT / f".venv-mlflow{major}" / "bin" / "python"))
    if not found.exists():
        pytest.fail(f"There is no MLflow {major} at {found}: create it with `make compat-envs`, or set {variable}.")
    return found


def run(major: int, home: Path, *command: str, **more: str) -> str:
    """Runs one version's interpreter, with more in its environment, and returns what it printed."""
    steering = ("MLFLOW_", "LOGBUCH_", "PYTEST_", "COV_")
    own = {key: value for key, value in os.environ.items() if not key.startswith(steering)}
    own |= {"HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "OMP_NUM_THREADS": "1"}
    own |= {"GIT_PYTHON_REFRESH": "quiet", "PYTHONDONTWRITEBYTECODE": "1", "MLFLOW_ALLOW_FILE_STORE": "true"} | more
    done = subprocess.run(
        [str(python(major)), *command], cwd=home, env=own, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr[-5000:]}"
    return done.stdout


def look(major: int, uri: str, home: Path, **more: str) -> dict[str, Any]:
    """All that one version's client sees at a place."""
    lines = run(major, home, str(CLIENTS / "look.py"), uri, **more).splitlines()
    told = [line for line in lines if line.startswith("SEEN ")]
    seen: dict[str, Any] = json.loads(told[-1].removeprefix("SEEN "))
    return seen


def restored(seen: Mapping[str, Any]) -> dict[str, Any]:
    """What MLflow's database told, with ±Inf where it cannot hold it; its client's histories have them in order."""
    text = json.dumps(seen).replace(f'"-{LARGEST}"', '"-inf"').replace(f'"{LARGEST}"', '"inf"')
    found: dict[str, Any] = json.loads(text)
    for one in found["runs"].values():
        one["history"] = {key: sorted(points) for key, points in one["history"].items()}
        one["tags"].pop(STABILITY_TAG, None)
    for model in found["models"].values():
        for version in model["versions"]:
            version["source"] = called(version)
    return found


def called(version: Mapping[str, Any]) -> str:
    """A version's source by its run, where it was a folder of that."""
    source, run_id = str(version["source"]), version["run_id"]
    _, found, path = source.partition(f"/{run_id}/artifacts/")
    return f"runs:/{run_id}/{path}" if found else source


def held(store: Path) -> dict[str, Any]:
    """All that a store holds."""
    opened = open_store(f"sqlite:///{store}/logbuch.db", seal=False)
    try:
        found = {}
        for experiment in opened.read(search.experiments, "", [], 1000, "", ViewType.ALL)[0]:
            ids = [experiment.experiment_id]
            for run in opened.read(search.runs, ids, "", [], 1000, "", ViewType.ALL)[0]:
                points = {key: opened.read(series.between, run.info.run_id, key) for key in run.data.metrics}
                found[run.info.run_id] = (
                    run.info,
                    run.data.param_list,
                    run.data.tag_list,
                    {
                        key: [column.tobytes() for column in (one.steps, one.timestamps, one.values)]
                        for key, one in points.items()
                    },
                    run.inputs,
                )
        return found
    finally:
        opened.close()


@pytest.fixture(scope="session")
def installations(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, str], Installation]:
    """Gives the installation of a version (2, 3) and a kind (sqlite, mlruns); each is made once."""
    made: dict[tuple[int, str], Installation] = {}

    def make(major: int, kind: str) -> Installation:
        if (major, kind) not in made:
            home = tmp_path_factory.mktemp(f"mlflow{major}-{kind}")
            place = f"sqlite:///{home}/mlflow.db" if kind == "sqlite" else str(home / "mlruns")
            run(major, home, str(CLIENTS / "install.py"), place, str(home / "artifacts"), *SIZE)
            if kind == "sqlite":
                _analyze(home / "mlflow.db")
            made[major, kind] = Installation(major, place, home)
        return made[major, kind]

    return make


def _analyze(file: Path) -> None:
    """Gives SQLite statistics: MLflow 2 has no index for the history of one run, and without them SQLite goes through
    the points of all runs for each, which are 1,000 times 1,000,000."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ANALYZE")


@pytest.fixture
def copied(installations: Callable[[int, str], Installation], tmp_path: Path) -> Callable[[int, str], Installation]:
    """The same, as a copy that a test may damage."""

    def copy(major: int, kind: str) -> Installation:
        original = installations(major, kind)
        home = tmp_path / "copy"
        shutil.copytree(original.home, home)
        return Installation(major, original.place.replace(str(original.home), str(home)), home)

    return copy
