"""Trainings of Storyteller that take a second or two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

import logbuch
from storyteller import smoke
from storyteller.config import Config, ModelConfig
from support import readback

torch.set_num_threads(1)

SIZE = {"vocab_size": 300, "hidden_size": 32, "num_layers": 2, "num_heads": 4, "max_sequence_length": 32}


def write(folder: Path) -> Path:
    """``train.jsonl`` with 50 stories, ``val.jsonl`` and ``tokenizer.json`` in a folder."""
    smoke.write(folder, smoke.made_up(60), 300)
    return folder


def config(data: Path, output: Path, *overrides: str, **model: Any) -> Config:
    """``ultra_tiny``, made smaller, on the data of a folder."""
    sets = [f"model.{key}={json.dumps(value)}" for key, value in {**SIZE, **model}.items()]
    return smoke.on(data, [*sets, f"training.output_dir={output}", "training.peak_tflops=0.01", *overrides])


def small(**changes: Any) -> ModelConfig:
    """A network of two layers."""
    return ModelConfig(**{**SIZE, **changes})


def only(place: Path) -> Any:
    """The run of the experiment that is called after a folder."""
    found = logbuch.get_experiment_by_name(str(place))
    assert found is not None
    return readback.only(found.experiment_id)
