"""A process state of its own for every test of the SDK: an empty folder, no environment, no open connection."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from logbuch.sdk import active, connection, experiments, stack, starting, workers
from logbuch.sdk.backends import place
from logbuch.sdk.recording import system_metrics


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in list(os.environ):
        if name.startswith(("LOGBUCH_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LOGBUCH_CAPTURE_GIT", "false")
    monkeypatch.setenv("LOGBUCH_CAPTURE_PACKAGES", "false")
    monkeypatch.setenv("LOGBUCH_CAPTURE_MACHINE", "false")
    monkeypatch.setenv("LOGBUCH_CONSOLE", "off")
    monkeypatch.setenv("LOGBUCH_FINISH_TIMEOUT", "3")
    monkeypatch.setenv("LOGBUCH_JOURNAL_FOLDER", str(tmp_path_factory.mktemp("journals")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(place, "_default", None)
    monkeypatch.setattr(place, "_chosen", None)
    monkeypatch.setattr(starting, "_environment_used", False)
    monkeypatch.setattr(experiments, "_chosen", {})
    monkeypatch.setattr(stack, "_last_id", None)
    monkeypatch.setattr(workers, "_said", {})
    for name in ("_enabled", "_interval", "_samples", "_node"):
        monkeypatch.setattr(system_metrics, name, None)
    on_sigterm = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, on_sigterm)
    for run in stack.everything():
        if run.monitor is not None:
            run.monitor.stop()
        active.deafen(run)
        run.settle(30)
    stack._main.clear()
    stack._all.clear()
    connection.close_all()
