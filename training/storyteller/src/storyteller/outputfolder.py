"""The folder of a training: one training at a time, and what an earlier one left there is set aside, not mixed in."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path

from storyteller import checkpoints
from storyteller.errors import DataError, TrainingError

FINAL = "model"


@contextlib.contextmanager
def claimed(output: Path) -> Iterator[None]:
    """Keeps other trainings out of a folder, until this one ends in whatever way; ``TrainingError`` if one is in it."""
    try:
        locks = importlib.import_module("fcntl")
    except ImportError:  # Windows
        yield
        return
    try:
        place = output.resolve()
        place.parent.mkdir(parents=True, exist_ok=True)
        held = (place.parent / f".{place.name}.lock").open("w")
    except OSError as error:
        raise DataError(f"{output.parent} cannot be written: {error.strerror or error}.") from None
    with held:
        try:
            locks.flock(held, locks.LOCK_EX | locks.LOCK_NB)
        except OSError:
            raise TrainingError(f"Another training writes to {output}: set another training.output_dir.") from None
        yield


def begin(output: Path, found: checkpoints.Checkpoint | None) -> Path | None:
    """Sets aside what this training does not go on from, and returns where it is now: ``<output>.1`` and so on.

    A new training, or one that goes on from another folder's checkpoint, leaves all of an earlier one behind; one that
    goes on from a checkpoint in ``output`` the later checkpoints alone. Other files stay where they are.
    """
    goes_on = found is not None and found.folder.resolve().parent == output.resolve()
    last = found.progress.step if found is not None and goes_on else -1
    left = [place for place in checkpoints.folders(output) if checkpoints.step_of(place) > last]
    if not goes_on:
        left += [place for name in (checkpoints.BEST, FINAL) if (place := output / name).exists()]
    if not left:
        return None
    try:
        aside = _new_folder(output.resolve())
        for place in left:
            place.rename(aside / place.name)
    except OSError as error:
        raise DataError(f"The earlier training in {output} cannot be set aside: {error.strerror or error}.") from None
    return aside


def _new_folder(output: Path) -> Path:
    number = 1
    while (aside := output.with_name(f"{output.name}.{number}")).exists():
        number += 1
    aside.mkdir()
    return aside
