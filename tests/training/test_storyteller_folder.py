"""A training's folder: one training at a time, and no checkpoint of another one among its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import logbuch
from storyteller import checkpoints, outputfolder, weights
from storyteller.config import Config
from storyteller.errors import TrainingError
from storyteller.train import train


def left(place: Path) -> list[str]:
    return sorted(one.name for one in place.iterdir())


def test_a_new_training_does_not_mix_with_an_earlier_one(
    told: Callable[..., Config], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A longer training lies in the folder: the new one keeps all that it writes, and ``latest`` is its own."""
    off = ("training.use_mlflow=false", "training.keep_checkpoints=2")
    out = tmp_path / "out"
    train(told(*off))
    (out / "notes.txt").write_text("kept")
    earlier = (out / "step_00000012" / "model.safetensors").read_bytes()
    train(told(*off, "training.max_steps=4", "training.save_every=2", "training.seed=7"))
    assert left(out) == ["best", "model", "notes.txt", "step_00000002", "step_00000004"]
    assert checkpoints.find("latest", out).progress.step == 4
    assert left(tmp_path / "out.1") == ["best", "model", "step_00000008", "step_00000012"]
    assert (tmp_path / "out.1" / "step_00000012" / "model.safetensors").read_bytes() == earlier
    assert f"What an earlier training left in {out} is now in {tmp_path / 'out.1'}." in capsys.readouterr().out


def test_going_on_from_an_earlier_step_sets_the_later_ones_aside(told: Callable[..., Config], tmp_path: Path) -> None:
    off, out = "training.use_mlflow=false", tmp_path / "out"
    train(told(off))
    shorter = told(off, "training.max_steps=6", "training.save_every=1", "training.keep_checkpoints=2")
    train(shorter, str(out / "step_00000004"))
    assert left(out) == ["best", "model", "step_00000005", "step_00000006"]
    assert left(tmp_path / "out.1") == ["step_00000008", "step_00000012"]
    train(shorter, str(tmp_path / "out.1" / "step_00000012"))
    assert left(tmp_path / "out.2") == ["best", "model", "step_00000005", "step_00000006"]


def test_the_checkpoint_that_is_written_is_never_removed(told: Callable[..., Config], tmp_path: Path) -> None:
    chosen = told("training.use_mlflow=false", "training.keep_checkpoints=1")
    loaded = weights.load(train(chosen).folder)
    for step in (9000, 100):
        checkpoints.save(tmp_path / "own", loaded.model, loaded.tokenizer, chosen, {}, checkpoints.Progress(step=step))
    assert left(tmp_path / "own") == ["step_00000100"]


def test_two_trainings_do_not_share_a_folder(told: Callable[..., Config], tmp_path: Path) -> None:
    """The second is refused before it has a run; when the first has ended, its folder is free."""
    chosen = told()
    with (
        outputfolder.claimed(tmp_path / "out"),
        pytest.raises(TrainingError, match=r"Another training writes to .*out: set another training.output_dir"),
    ):
        train(chosen)
    assert logbuch.get_experiment_by_name(str(tmp_path)) is None
    assert train(chosen).steps == 12
