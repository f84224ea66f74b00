"""Every training has a process state and a folder of its own, and the same stories."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import storytelling
from support.fresh import fresh

__all__ = ["fresh"]


@pytest.fixture(scope="session")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and tokenizer, which tests only read."""
    return storytelling.write(tmp_path_factory.mktemp("stories"))
