"""Programs in real processes, which log to a server or a folder and are killed."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Program = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def journals(tmp_path: Path) -> Path:
    return tmp_path / "journals"


@pytest.fixture
def environment(tmp_path: Path, journals: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOGBUCH_", "MLFLOW_"))}
    return kept | {
        "LOGBUCH_JOURNAL_FOLDER": str(journals),
        "LOGBUCH_QUIET": "1",
        "LOGBUCH_CAPTURE_GIT": "false",
        "LOGBUCH_CAPTURE_PACKAGES": "false",
        "LOGBUCH_FINISH_TIMEOUT": "60",
    }


@pytest.fixture
def program(tmp_path: Path, environment: dict[str, str]) -> Iterator[Program]:
    """Starts ``body`` in a process; ``place`` is its tracking URI."""
    started: list[subprocess.Popen[str]] = []

    def start(body: str, place: str, **more: str) -> subprocess.Popen[str]:
        source = "import os, sys, time\nimport logbuch\n" + textwrap.dedent(body)
        script = tmp_path / f"program{len(started)}.py"
        script.write_text(source)
        process = subprocess.Popen(
            [sys.executable, str(script)],
            env=environment | {"LOGBUCH_TRACKING_URI": place} | more,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def sync(environment: dict[str, str], tmp_path: Path) -> Callable[..., Any]:
    """Runs ``logbuch sync``."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "logbuch", "sync", *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run
