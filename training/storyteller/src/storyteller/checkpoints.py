"""Checkpoints: all that a training needs to go on as if it had never ended. Each is whole or not there."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer

from storyteller import weights
from storyteller.config import Config
from storyteller.errors import DataError, TrainingError
from storyteller.files import written
from storyteller.model import Storyteller

_OPTIMIZER = "optimizer.pt"
_PROGRESS = "progress.json"
BEST = "best"


@dataclass
class Progress:
    """How far a training has come; ``epoch`` and ``taken`` say where in the data."""

    step: int = 0
    epoch: int = 0
    taken: int = 0
    tokens: int = 0
    best_loss: float = float("inf")
    evaluations_without_gain: int = 0
    run_id: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """One that was found on disk."""

    folder: Path
    progress: Progress

    def optimizer(self, device: torch.device) -> dict[str, Any]:
        try:
            found: dict[str, Any] = torch.load(self.folder / _OPTIMIZER, map_location=device, weights_only=True)
        except Exception as error:  # noqa: BLE001  torch raises many kinds for a damaged file
            raise DataError(f"{self.folder / _OPTIMIZER} cannot be read: {error}") from None
        return found


def save(
    output: Path, model: Storyteller, tokens: Tokenizer, config: Config, optimizer: dict[str, Any], progress: Progress
) -> Path:
    """Writes a checkpoint and removes the oldest beyond ``keep_checkpoints``, never the one that is written;
    ``TrainingError`` if the disk is full."""
    target = output / f"step_{progress.step:08d}"
    _write(target, model, tokens, config, optimizer, progress)
    others = [place for place in folders(output) if place != target]
    for old in others[: max(0, len(others) + 1 - config.training.keep_checkpoints)]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def save_best(output: Path, model: Storyteller, tokens: Tokenizer, config: Config) -> None:
    """Keeps the weights with the best validation loss apart; a training does not go on from them."""
    _write(output / BEST, model, tokens, config, None, None)


def find(where: str, output: Path) -> Checkpoint:
    """A checkpoint by its folder, or the newest one: of a folder of them, or by ``latest`` of ``output``."""
    place = output if where == "latest" else Path(where)
    if (place / _PROGRESS).is_file():
        return _read(place)
    known = folders(place)
    if not known:
        raise DataError(f"There is no checkpoint in {place}.")
    return _read(known[-1])


def folders(output: Path) -> list[Path]:
    """The checkpoints of a folder, the earliest step first."""
    known = (place for place in output.glob("step_*") if (place / _PROGRESS).is_file() and step_of(place) >= 0)
    return sorted(known, key=step_of)


def step_of(place: Path) -> int:
    """The step that a checkpoint's name tells; -1 for another name."""
    number = place.name.removeprefix("step_")
    return int(number) if number.isdecimal() else -1


def _write(
    target: Path,
    model: Storyteller,
    tokens: Tokenizer,
    config: Config,
    optimizer: dict[str, Any] | None,
    progress: Progress | None,
) -> None:
    try:
        with written(target) as place:
            place.mkdir()
            weights.save(place, model, tokens, config)
            if optimizer is not None:
                torch.save(optimizer, place / _OPTIMIZER)
            if progress is not None:
                (place / _PROGRESS).write_text(json.dumps(asdict(progress)), encoding="utf-8")
    except (DataError, RuntimeError, SafetensorError) as error:
        reason = str(error).split("\n")[0]
        raise TrainingError(f"Checkpoint {target.name} could not be saved, nothing of it is left: {reason}") from None


def _read(folder: Path) -> Checkpoint:
    try:
        return Checkpoint(folder, Progress(**json.loads((folder / _PROGRESS).read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{folder / _PROGRESS} cannot be read: {error}") from None
