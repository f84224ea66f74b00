"""Every test has a process state and a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fresh import fresh

__all__ = ["fresh"]


@pytest.fixture(autouse=True)
def own_folder(fresh: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
