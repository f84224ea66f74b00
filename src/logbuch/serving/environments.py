"""Fresh environments with a model's requirements, made once and used again.

Logbuch itself comes from where it runs: a link to its package, and its dependencies beside the model's requirements.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata, util
from pathlib import Path
from typing import Any

import logbuch
from logbuch.errors import InvalidInput, InvalidState
from logbuch.limits import clip
from logbuch.models import documents
from logbuch.serving import requirements
from logbuch.version import __version__

_READY = ".logbuch-ready"
_SHOWN = 500
"""Characters of a manager's output in an error."""
_HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
_VERSION = re.compile(r"([0-9]{1,3}\.[0-9]{1,3})(?![0-9])", re.ASCII)


def prepare(folder: Path, manager: str, *, say: Callable[[str], None]) -> Path:
    """The Python of an environment that has the model's requirements; made when there is none yet.

    ``manager`` is ``uv`` or ``virtualenv``. Packages come through its ordinary client from where it is configured to
    look. InvalidState when the manager or the model's Python is not there, or a package cannot be installed.
    """
    wanted = [*requirements.read(folder), *_own()]
    version = _python(folder)
    name = hashlib.sha256("\n".join([manager, version, __version__, *wanted]).encode()).hexdigest()[:24]
    place = _cache() / name
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    with _alone(_cache().parent / "locks", name, say) as lock:
        if not (place / _READY).is_file():
            say(f"Making an environment with {len(wanted)} requirements in {place}")
            shutil.rmtree(place, ignore_errors=True)
            _make(place, python, manager, version, wanted, lock)
            _link(python)
            (place / _READY).touch()
    return python


@contextmanager
def _alone(folder: Path, name: str, say: Callable[[str], None]) -> Iterator[int]:
    """One process at a time makes an environment: the others wait, and then use it. Yields the lock's descriptor."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / name).open("wb") as file:
        if os.name != "nt":
            _lock(file.fileno(), say)
        yield file.fileno()


def _lock(file: int, say: Callable[[str], None]) -> None:
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Waiting for another process that makes the same environment")
        fcntl.flock(file, fcntl.LOCK_EX)


def run_in(python: Path, arguments: list[str]) -> int:
    """Runs the same command with another Python, in its own environment; passes signals on, returns the exit code."""
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(number: int, frame: Any) -> None:  # noqa: ARG001
        if process is None:
            early.append(number)
        elif number != signal.SIGINT or not _in_foreground():
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        process = subprocess.Popen([str(python), "-m", "logbuch", *_local(arguments)])  # noqa: S603
        for number in early:
            process.send_signal(number)
        return process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_foreground() -> bool:
    """Whether a terminal's Ctrl-C reaches this process, and those that it starts: a second one would cut requests."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):  # no terminal, no standard input, no such calls
        return False


def _local(arguments: list[str]) -> list[str]:
    kept: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--env-manager":
            next(rest, None)
        elif not argument.startswith("--env-manager="):
            kept.append(argument)
    return [*kept, "--env-manager", "local"]


def _make(place: Path, python: Path, manager: str, version: str, wanted: list[str], lock: int) -> None:
    # The manager holds the lock too: where this process is killed, nobody else begins before it has ended.
    kept = () if os.name == "nt" else (lock,)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listed:
        listed.write("\n".join(wanted) + "\n")
        listed.flush()
        for command in _commands(place, python, manager, version, listed.name):
            done = subprocess.run(command, capture_output=True, text=True, check=False, pass_fds=kept)  # noqa: S603
            if done.returncode:
                shutil.rmtree(place, ignore_errors=True)
                raise InvalidState(
                    f"No environment for the model: {_reason(done.stderr) or _reason(done.stdout)} "
                    "(--env-manager local uses this one.)"
                )


def _reason(said: str) -> str:
    """The last lines of a manager's output that are words, as one."""
    lines = [" ".join(line.split()) for line in said.splitlines() if any(map(str.isalnum, line))]
    return clip(" ".join(lines[-3:]), _SHOWN)


def _commands(place: Path, python: Path, manager: str, version: str, listed: str) -> list[list[str]]:
    if manager == "uv":
        uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
        if uv is None:
            raise InvalidState("uv is not installed: pip install uv, or --env-manager virtualenv.")
        make = [uv, "venv", "--quiet", "--no-python-downloads", "--python", version, str(place)]
        return [make, [uv, "pip", "install", "--quiet", "--python", str(python), "-r", listed]]
    if version != _HERE:
        raise InvalidState(f"The model wants Python {version}, this is {_HERE}: use --env-manager uv.")
    module = "virtualenv" if util.find_spec("virtualenv") else "venv"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "-r", listed]
    return [[sys.executable, "-m", module, str(place)], pip]


def _python(folder: Path) -> str:
    """The model's Python, major and minor, as MLflow's ``python_env.yaml`` names it; else this one's."""
    file = folder / "python_env.yaml"
    found = documents.read(file) if file.is_file() else {"python": _HERE}
    named = found.get("python") if isinstance(found, dict) else None
    version = _VERSION.match(str(named))
    if version is None:
        raise InvalidInput(f"The model's {file.name} names no Python version: {clip(str(named))!r}")
    return version[1]


def _own() -> list[str]:
    """What Logbuch itself needs to serve."""
    found = []
    for line in metadata.requires("logbuch") or ():
        requirement, _, marker = line.partition(";")
        if "extra" not in marker or "serving" in marker:
            condition = "" if "extra" in marker or not marker else f" ;{marker}"
            found.append(requirement.strip() + condition)
    return found


def _link(python: Path) -> None:
    """Makes this Logbuch importable for that Python, and nothing else of its environment."""
    beside = python.parent.parent / "logbuch-source"
    beside.mkdir(exist_ok=True)
    (beside / "logbuch").symlink_to(Path(logbuch.__file__).parent, target_is_directory=True)
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    (Path(packages) / "logbuch.pth").write_text(f"{beside}\n", encoding="utf-8")


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "logbuch" / "environments"
