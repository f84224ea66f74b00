"""Every training has a process state and a folder of its own, and the same stories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import logbuch
from storyteller.config import Config
from support import storytelling
from support.fresh import fresh
from support.servers import Server

__all__ = ["fresh"]
SHORT = ("training.max_steps=12", "training.log_every=1", "training.evaluation.every=4", "training.save_every=4")
RISE = ("training.learning_rate=0.01", "training.warmup_steps=2")


@pytest.fixture(scope="session")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and tokenizer, which tests only read."""
    return storytelling.write(tmp_path_factory.mktemp("stories"))


@pytest.fixture
def told(stories: Path, tmp_path: Path, shared_server: Server) -> Callable[..., Config]:
    """A short training that logs to the server, to an experiment of its own."""
    logbuch.set_tracking_uri(shared_server.url)

    def make(*overrides: str, output: str = "out", **model: Any) -> Config:
        tracker = [f"training.mlflow_tracking_uri={shared_server.url}", f"training.mlflow_experiment_name={tmp_path}"]
        return storytelling.config(stories, tmp_path / output, *SHORT, *RISE, *tracker, *overrides, **model)

    return make
