"""The folder of a training: its checkpoints, what it was begun with, and the finished adapter."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config import Job
from problems import Problem

_SETTINGS = "training_config.json"
_FREE = {
    "output_dir", "log_model", "log_base_model", "log_model_checkpoints", "mlflow_tracking_uri",
    "mlflow_experiment_name", "mlflow_run_name", "save_total_limit", "per_device_eval_batch_size", "sample_count",
    "sample_tokens", "data_dir", "train_file", "validation_file",
}  # fmt: skip
"""What may change when a training goes on: nothing of it changes a weight."""


def settings(job: Job, data_sha256: str) -> dict[str, Any]:
    """All that a training is begun with."""
    lora = dataclasses.asdict(job.lora) | {"target_modules": list(job.lora.target_modules)}
    return {**dataclasses.asdict(job.config), "lora": lora, "data_sha256": data_sha256}


def begin(job: Job, data_sha256: str) -> Path | None:
    """Makes the folder ready and returns the checkpoint to go on from; None for a new training.

    What an earlier training has left there is moved aside, to ``<folder>.1`` and so on. Raises :class:`Problem` if
    there is nothing to resume, or if it was begun with other settings.
    """
    wanted = settings(job, data_sha256)
    found = chosen(job)
    if found is not None:
        _compare(job.folder, wanted)
        _discard_torn(job.folder)
        return found
    try:
        if job.folder.exists() and any(job.folder.iterdir()):
            aside = _free_name(job.folder)
            job.folder.rename(aside)
            print(f"The earlier training in {job.folder} is now in {aside}.")
        job.folder.mkdir(parents=True, exist_ok=True)
        (job.folder / _SETTINGS).write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot write to {job.folder}: {error.strerror}") from None
    return None


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keeps other trainings out of a folder, until this one ends in whatever way."""
    try:
        locks = importlib.import_module("fcntl")
    except ImportError:  # Windows
        yield
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        held = (folder.parent / f".{folder.name}.lock").open("w")
    except OSError as error:
        raise Problem(f"cannot write to {folder.parent}: {error.strerror}") from None
    with held:
        try:
            locks.flock(held, locks.LOCK_EX | locks.LOCK_NB)
        except OSError:
            raise Problem(f"another training writes to {folder}; give this one another --output_dir") from None
        yield


def newest(folder: Path) -> Path | None:
    """The last checkpoint that is whole."""
    whole = [path for path in _all(folder) if is_whole(path)]
    return max(whole, key=_step, default=None)


def is_whole(checkpoint: Path) -> bool:
    """The Trainer writes its state last: where it can be read, all else is there."""
    try:
        state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return state.get("global_step") == _step(checkpoint) and (checkpoint / "adapter_model.safetensors").exists()


def put_in_place(written: Path, folder: Path) -> None:
    """Moves finished files to where they belong, each whole."""
    for path in sorted(written.iterdir()):
        path.replace(folder / path.name)
    written.rmdir()


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def chosen(job: Job) -> Path | None:
    """The checkpoint to go on from, for processes that only read."""
    if job.resume is None:
        return None
    if job.resume == "newest":
        found = newest(job.folder)
        if found is None:
            raise Problem(f"nothing to resume: {job.folder} holds no whole checkpoint")
        return found
    path = Path(job.resume)
    if path.resolve().parent != job.folder.resolve():
        raise Problem(f"{path} is no checkpoint of this training: those are in {job.folder}")
    if not is_whole(path):
        raise Problem(f"{path} is no whole checkpoint")
    return path


def _compare(folder: Path, wanted: dict[str, Any]) -> None:
    try:
        begun = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise Problem(f"cannot resume: {folder / _SETTINGS} cannot be read") from None
    plain = json.loads(json.dumps(wanted))
    other = [
        f"{key} was {begun.get(key)!r} and is {value!r}"
        for key, value in plain.items()
        if key not in _FREE and begun.get(key) != value
    ]
    if other:
        raise Problem(f"cannot resume {folder} with other settings: {'; '.join(other)}")


def _discard_torn(folder: Path) -> None:
    for path in _all(folder):
        if not is_whole(path):
            remove(path)


def _all(folder: Path) -> list[Path]:
    return [path for path in folder.glob("checkpoint-*") if path.is_dir() and path.name.rpartition("-")[2].isdigit()]


def _step(checkpoint: Path) -> int:
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _free_name(folder: Path) -> Path:
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    return aside
