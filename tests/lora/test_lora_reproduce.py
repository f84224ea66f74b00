"""``logbuch reproduce`` of a fine-tuning: from another folder, the same curves, bit for bit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import logbuch
from support import repositories
from support.fresh import fresh
from support.repositories import Repository

__all__ = ["fresh"]
pytestmark = pytest.mark.slow
PROGRAMS = Path(__file__).parents[2] / "training" / "lora"


def test_a_training_is_repeated_to_the_bit(material: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is in the repository, its data are in it without git's knowledge, the model lies elsewhere."""
    for name in ("GIT", "PACKAGES"):
        monkeypatch.delenv(f"LOGBUCH_CAPTURE_{name}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    project = Repository(tmp_path / "project", tmp_path / "store")
    for program in PROGRAMS.glob("*.py"):
        shutil.copy(program, project.folder)
    shutil.copytree(material.data, project.folder / "data")
    (project.folder / ".gitignore").write_text("data\nmodels\n__pycache__\n")
    project.commit()
    options = "--test_mode --precision fp32 --max_seq_length 512 --learning_rate 1e-2 --log_model false".split()
    run_id = project.run("train_lora.py", *options, "--model_name", str(material.model))
    run = logbuch.get_run(run_id)
    assert run.data.tags["mlflow.source.git.commit"] == project.git("rev-parse", "HEAD")
    assert run.data.tags["mlflow.source.git.dirty"] == "false"

    answer = json.loads(repositories.reproduced(project.store, tmp_path / "elsewhere", run_id))
    assert answer["same"], answer
    for metric, count in {"train/loss": 4, "train/grad_norm": 4, "eval/loss": 3, "final_eval_loss": 1}.items():
        points = repositories.curve(run_id, metric)
        assert len(points) == count
        assert repositories.curve(answer["new_run_id"], metric) == points, metric
    adapter = "models/standard_r8_qkvo_test/adapter_model.safetensors"
    again = tmp_path / "elsewhere" / "again" / "code" / adapter
    assert again.read_bytes() == (project.folder / adapter).read_bytes()
