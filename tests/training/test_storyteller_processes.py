"""A training in several processes, as torchrun starts them, is that of one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from storyteller import configfile, weights
from storyteller.config import Config
from storyteller.train import train
from support import readback
from support.storytelling import only


def together(chosen: Config, folder: Path) -> str:
    """``storyteller-train`` in two processes, as torchrun starts them; what they print."""
    folder.mkdir()
    (folder / "own.yaml").write_text(configfile.dumped(chosen))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
    program = [str(Path(sys.executable).parent / "storyteller-train"), "--config", "own.yaml"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "LOGBUCH_FINISH_TIMEOUT": "60"}
    done = subprocess.run([*torchrun, *program], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_processes_train_as_one(told: Callable[..., Config], tmp_path: Path, parallel: str) -> None:
    """By torchrun: one run, the losses of one process, and checkpoints from which one process goes on."""
    few = ("training.max_steps=4", "training.log_every=1", "training.evaluation.every=4", "training.save_every=2")
    off = ("training.use_mlflow=false", "training.batch_size=8", "training.gradient_accumulation_steps=2")
    alone = train(told(*few, *off, "training.evaluation.batches=3", output="alone"))
    both = told(
        *few,
        "training.batch_size=4",
        "training.gradient_accumulation_steps=2",
        f"training.parallel={parallel}",
        "training.evaluation.batches=6",
        output="pair",
    )
    said = together(both, tmp_path / "together")
    assert said.count("step 4/4") == 2  # one process tells the step and its evaluation
    run = only(tmp_path)
    assert readback.steps(run, "train/loss") == [1, 2, 3, 4]
    assert run.data.metrics["val/loss"] == pytest.approx(alone.val_loss, rel=1e-4)
    assert (run.data.params["world_size"], run.data.params["parallel"]) == ("2", parallel)
    assert readback.text(run, "samples/step_00000004.txt")
    one, two = (weights.load(tmp_path / place / "model").model.state_dict() for place in ("alone", "pair"))
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, rtol=1e-3, atol=1e-4)
    more = (*off, "training.max_steps=6", "training.evaluation.batches=3", "training.evaluation.every=6")
    later = [train(told(*more, output=place), str(tmp_path / place / "step_00000002")) for place in ("alone", "pair")]
    assert later[1].val_loss == pytest.approx(later[0].val_loss, rel=1e-4)
