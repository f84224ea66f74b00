"""The wheel: what `pip install logbuch` brings."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_wheel_carries_the_built_page_and_the_migrations(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "logbuch/server/page/index.html" in names
    assert any(name.startswith("logbuch/server/page/assets/") and name.endswith(".js") for name in names)
    assert "logbuch/store/migrations/versions/0001_first.py" in names
    assert "logbuch/py.typed" in names
    assert not any(name.startswith(("tests", "ui", "training")) for name in names)
    metadata = next(name for name in names if name.endswith("METADATA"))
    text = zipfile.ZipFile(wheel).read(metadata).decode()
    assert "License-Expression: Apache-2.0" in text
    assert wheel.stat().st_size < 3_000_000
