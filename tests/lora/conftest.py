"""The programs below training/lora, importable, and what they train with: AWS questions and a small Mistral."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parents[2] / "training" / "lora"
if str(PROGRAMS) not in sys.path:
    sys.path.append(str(PROGRAMS))


@dataclass(frozen=True)
class Material:
    """A folder with rows, one with a model, and the model's loss before and after it was trained."""

    data: Path
    model: Path
    losses: tuple[float, float]


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Material]:
    import aws_questions
    import smoke
    import torch

    folder = tmp_path_factory.mktemp("lora")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    found = aws_questions.build(("s3", "sqs", "lambda"), 80, 220)
    aws_questions.write(aws_questions.split(found), folder / "data", 42)
    losses = smoke.make_model(folder / "mistral", smoke.texts(folder / "data" / "train.jsonl"), steps=100)
    yield Material(folder / "data", folder / "mistral", losses)
    torch.set_num_threads(threads)
