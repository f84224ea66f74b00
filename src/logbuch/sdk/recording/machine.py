"""What a run's machine is: Python, system, CPU, GPUs, and those environment variables that are asked for."""

from __future__ import annotations

import fnmatch
import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logbuch import settings
from logbuch.sdk.recording.gpus import Gpus
from logbuch.sdk.recording.redaction import HIDDEN, Redactor, names_secret

_CPUINFO = Path("/proc/cpuinfo")
_GIGA = 1e9


def describe(redactor: Redactor) -> dict[str, Any]:
    """All of it, as JSON knows it; memory in bytes."""
    gpus = Gpus()
    return {
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "executable": sys.executable,
            "prefix": sys.prefix,
        },
        "system": {
            "name": platform.system(),
            "release": platform.release(),
            "version": _distribution() or platform.version(),
            "machine": platform.machine(),
            "container": _in_container(),
        },
        "cpu": {"model": _cpu(), "cores": os.cpu_count(), "usable_cores": _usable_cores(), "memory_bytes": _memory()},
        "gpu": {"devices": gpus.describe()} | gpus.driver(),
        "environment": environment(redactor),
    }


def tags(found: Mapping[str, Any]) -> dict[str, str]:
    """The machine in a few words."""
    system, cpu, devices = found["system"], found["cpu"], found["gpu"]["devices"]
    memory = f", {cpu['memory_bytes'] / _GIGA:.0f} GB" if cpu["memory_bytes"] else ""
    models = [device.get("model", "GPU") for device in devices]
    counted = [f"{models.count(model)} × {model}" for model in dict.fromkeys(models)]
    shown = {
        "logbuch.os": f"{system['version']} ({system['name']} {system['release']}, {system['machine']})",
        "logbuch.cpu": f"{cpu['model'] or system['machine']}, {cpu['usable_cores']} of {cpu['cores']} cores{memory}",
        "logbuch.gpu": ", ".join(counted),
    }
    return {key: value for key, value in shown.items() if value}


def environment(redactor: Redactor) -> dict[str, str]:
    """The variables that the setting ``capture_env`` names, with ``*`` as in file names; values lose their secrets."""
    wanted = [pattern.strip() for pattern in (settings.CAPTURE_ENV.get() or "").split(",") if pattern.strip()]
    return {
        name: HIDDEN if names_secret(name) else redactor.text(value)
        for name, value in sorted(os.environ.items())
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted)
    }


def as_json(found: Mapping[str, Any]) -> bytes:
    return json.dumps(found, indent=2, ensure_ascii=True).encode()


def _cpu() -> str | None:
    """The model's name as Linux tells it; what Python knows elsewhere."""
    try:
        for line in _CPUINFO.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model"):
                return value.strip()
    except OSError:
        pass
    return platform.processor() or None


def _usable_cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _distribution() -> str | None:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return None


def _in_container() -> bool:
    return any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv")) or bool(
        os.environ.get("KUBERNETES_SERVICE_HOST")
    )
