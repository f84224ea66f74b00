"""``logbuch reproduce`` of a training of Storyteller: from another folder, the same curves, bit for bit."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

import logbuch
from storyteller import configfile
from support import repositories
from support.fresh import fresh
from support.repositories import Repository
from support.storytelling import config

__all__ = ["fresh"]
pytestmark = pytest.mark.slow
CURVES = ("train/loss", "train/grad_norm", "val/loss", "val/perplexity")
COMMAND = str(Path(sys.executable).parent / "storyteller-train")


@pytest.fixture
def project(stories: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with a configuration; its data lie in it, and git does not know them."""
    for name in ("GIT", "PACKAGES"):
        monkeypatch.delenv(f"LOGBUCH_CAPTURE_{name}")
    made = Repository(tmp_path / "project", tmp_path / "store")
    shutil.copytree(stories, made.folder / "data", ignore=shutil.ignore_patterns(".tokens"))
    (made.folder / ".gitignore").write_text("data\ncheckpoints\n")
    short = ["training.max_steps=10", "training.log_every=1", "training.evaluation.every=5", "training.save_every=0"]
    chosen = config(Path("data"), Path("checkpoints"), *short, dropout=0.1, use_moe=True, num_experts=4)
    (made.folder / "own.yaml").write_text(configfile.dumped(chosen))
    made.commit()
    return made


def changed(project: Repository, rate: float) -> None:
    file = project.folder / "own.yaml"
    content = yaml.safe_load(file.read_text())
    content["training"]["learning_rate"] = rate
    file.write_text(yaml.safe_dump(content))


def test_a_training_with_uncommitted_changes_is_repeated_to_the_bit(project: Repository, tmp_path: Path) -> None:
    changed(project, 0.01)
    run_id = project.run("--config", "own.yaml", command=(COMMAND,))
    run = logbuch.get_run(run_id)
    assert run.data.params["learning_rate"] == "0.01"
    assert run.data.tags["mlflow.source.git.commit"] == project.git("rev-parse", "HEAD")
    contexts = {one.dataset.name: one.tags[0].value for one in run.inputs.dataset_inputs}
    assert contexts == {"train.jsonl": "training", "val.jsonl": "validation", "tokenizer.json": "tokenizer"}
    kept = configfile.parsed(logbuch.artifacts.load_text(f"runs:/{run_id}/config.yaml"), "config.yaml")
    assert configfile.build(kept).training.learning_rate == 0.01
    changed(project, 0.5)
    before = project.state()

    answer = json.loads(repositories.reproduced(project.store, tmp_path / "elsewhere", run_id))
    assert answer["same"], answer
    new = answer["new_run_id"]
    assert new == repositories.newest(project.store) != run_id
    for metric in CURVES:
        points = repositories.curve(run_id, metric)
        assert len(points) == (10 if metric.startswith("train") else 2)
        assert repositories.curve(new, metric) == points, metric
    assert logbuch.get_run(new).data.params["learning_rate"] == "0.01"
    assert project.state() == before


def test_data_that_have_changed_are_told_before_anything_runs(project: Repository, tmp_path: Path) -> None:
    run_id = project.run("--config", "own.yaml", command=(COMMAND,))
    with (project.folder / "data" / "val.jsonl").open("a") as file:
        file.write('{"text": "One more."}\n')
    said = repositories.reproduced(project.store, tmp_path / "elsewhere", run_id, "--print")
    assert "The data set 'val.jsonl' has changed" in said
