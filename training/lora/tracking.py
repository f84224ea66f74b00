"""The tracker, if there is one: nothing that it does or fails to do ends a training."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config import Job

mlflow: Any
try:
    import logbuch as mlflow
except ImportError:
    mlflow = None

_NOTE = "run.json"


class Terminated(BaseException):
    """SIGTERM has ended the training."""


def is_main_process() -> bool:
    """Of several processes the first one logs and writes."""
    return int(os.environ.get("RANK", "0")) == 0


def active() -> bool:
    return mlflow is not None and mlflow.active_run() is not None


@contextmanager
def quietly(what: str) -> Iterator[None]:
    """What fails within is a line, not an error."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
        print(f"Warning: could not log {what}: {error}")


def log_metrics(values: Mapping[str, float], step: int) -> None:
    if active():
        with quietly("metrics"):
            mlflow.log_metrics(dict(values), step=step)


def log_params(values: Mapping[str, Any]) -> None:
    if active():
        with quietly("params"):
            mlflow.log_params(dict(values))


def log_text(text: str, path: str) -> None:
    if active():
        with quietly(path):
            mlflow.log_text(text, path)


def log_data(path: Path, context: str, count: int) -> None:
    """Notes a file of rows, by its hash."""
    if active():
        with quietly(f"the data set {path}"):
            mlflow.log_input(described(path, count), context=context)


def described(path: Path, count: int) -> Any:
    """A file of rows as the tracker's data set. Of the hashes by which a reproduction tells that a file has changed,
    md5 is the one that fits into the 36 characters that MLflow has for it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return mlflow.data.Dataset(name=path.name, digest=digest, source=str(path.resolve()), profile={"num_rows": count})


@contextmanager
def run(job: Job, experiment_id: str | None, resumed: bool) -> Iterator[None]:
    """The run of a training: FINISHED when it is left, FAILED by an exception, KILLED by Ctrl-C and SIGTERM.

    A resumed training goes on with the run that its folder notes. Without a tracker nothing happens.
    """
    if experiment_id is None or mlflow is None or not is_main_process():
        yield
        return
    started = None
    with quietly("a run"):
        started = _start(job, experiment_id, noted_run(job.folder) if resumed else None)
    if started is None:
        yield
        return
    with started:
        try:
            yield
        except Terminated:
            mlflow.end_run("KILLED")
            raise


def _start(job: Job, experiment_id: str, run_id: str | None) -> Any:
    if run_id is not None:
        try:
            return mlflow.start_run(run_id=run_id, log_system_metrics=True)
        except mlflow.LogbuchError as error:
            print(f"Warning: cannot go on with run {run_id}, so a new one begins: {error}")
    tags = {"lora_config": job.lora.name} | ({"resumed_from": run_id} if run_id else {})
    return mlflow.start_run(
        experiment_id=experiment_id or None, run_name=job.run_name, tags=tags, log_system_metrics=True
    )


def is_there(run_id: str) -> bool:
    """Whether a run can be logged to; where nobody answers it is taken to be there."""
    try:
        stage = mlflow.get_run(run_id).info.lifecycle_stage
    except Exception as error:  # noqa: BLE001 - whatever it is, the program goes on
        gone = getattr(error, "error_code", "") == "RESOURCE_DOES_NOT_EXIST"
    else:
        gone = stage == "deleted"
    if gone:
        print(f"Warning: run {run_id} is not there any more, so a new one begins.")
    return not gone


def note_run(folder: Path) -> None:
    """Writes down which run a folder belongs to."""
    if active():
        about = {"run_id": mlflow.active_run().info.run_id, "tracking_uri": mlflow.get_tracking_uri()}
        (folder / _NOTE).write_text(json.dumps(about) + "\n", encoding="utf-8")


def noted_run(folder: Path) -> str | None:
    """The run that a folder belongs to; None if none was noted."""
    try:
        return str(json.loads((folder / _NOTE).read_text(encoding="utf-8"))["run_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
