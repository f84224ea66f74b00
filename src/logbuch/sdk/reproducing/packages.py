"""An environment with the packages that a run recorded: from the index, by uv where it is installed, else by pip."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from logbuch.errors import InvalidState
from logbuch.sdk.reproducing.problems import Problem
from logbuch.sdk.reproducing.steps import Call, called, last_line

Place = Callable[[Path], Path | None]
_MOST_MISSING = 50
_INDEX = "UV_INDEX or PIP_EXTRA_INDEX_URL names an index that has it."
_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)")
_UNKNOWN = (
    re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)"),
    re.compile(r"Because ([A-Za-z0-9._-]+) was not found"),
    re.compile(r"there is no version of ([A-Za-z0-9._-]+)==", re.I),
    re.compile(r"Because ([A-Za-z0-9._-]+)==\S+ has no"),
)


@dataclass(frozen=True, slots=True)
class Packages:
    """What is to be installed: lines for pip, and the interpreter of the environment. ``uv`` is the program's path.

    ``contents`` are the same packages by name and version. ``others`` are lines of packages in another build than the
    recorded one: they bring what they need, which may be more.
    """

    lines: tuple[str, ...]
    contents: tuple[str, ...]
    interpreter: str
    uv: str | None
    others: tuple[str, ...] = ()

    def steps(self, folder: Path, requirements: Path) -> list[Call]:
        """Makes the environment in ``folder`` from a file that has the lines."""
        python = str(interpreter_of(folder))
        make, install = [self.interpreter, "-m", "venv", str(folder)], [python, "-m", "pip", "install", "--quiet"]
        if self.uv:
            make = [self.uv, "venv", "--quiet", "--python", self.interpreter, str(folder)]
            install = [self.uv, "pip", "install", "--quiet", "--python", python]
        found = [Call(make), Call([*install, "--no-deps", "-r", str(requirements)])]
        return [*found, Call([*install, *self.others])] if self.others else found


def recorded(text: str) -> dict[str, str]:
    """Names and versions from ``name==version`` lines; what is written otherwise is left out."""
    found = (_REQUIREMENT.fullmatch(line.strip()) for line in text.splitlines())
    return {match[1]: match[2] for match in found if match}


def chosen(text: str, python: str | None, place: Place) -> tuple[Packages, list[Problem]]:
    """The packages that can be had, and what is said of the others.

    What the index lacks is taken from where this interpreter has it, in the same version; ``place`` tells where a
    folder of the repository is by then.
    """
    interpreter, problems = _interpreter(python)
    wanted = recorded(text)
    own, told = _own(wanted, place)
    asked = {name: version for name, version in wanted.items() if name not in own}
    uv = shutil.which("uv")
    had = _had(asked, interpreter, uv)
    if uv and had.problems:  # pip may know of further indexes, from settings of its own
        other = _had(asked, interpreter, None)
        uv, had = (None, other) if other.lack < had.lack else (uv, had)
    others = tuple(had.lines[name] for name in had.lines if had.lines[name] != f"{name}=={wanted[name]}")
    lines = tuple(line for line in had.lines.values() if line not in others)
    contents = (*had.lines.values(), *(f"{name}=={wanted[name]}" for name in own))
    return Packages((*lines, *own.values()), contents, interpreter, uv, others), [*problems, *told, *had.problems]


@dataclass(frozen=True, slots=True)
class _Had:
    """What an installer has: lines by name, and what is said of what it has not."""

    lines: dict[str, str]
    problems: list[Problem]
    answered: bool = True

    @property
    def lack(self) -> tuple[bool, int]:
        return not self.answered, len(self.problems)


def _had(wanted: Mapping[str, str], interpreter: str, uv: str | None) -> _Had:
    """Asks again without what was missing until nothing is. For a missing build there is the plain version."""
    lines = {name: f"{name}=={version}" for name, version in wanted.items()}
    problems: list[Problem] = []
    for _ in range(2 * _MOST_MISSING):
        failed = _checked(list(lines.values()), interpreter, uv)
        if failed is None:
            return _Had(lines, problems)
        name = _named(failed, lines)
        if name is None:
            unasked = Problem(missing=f"The index could not be asked for the packages: {last_line(failed)}")
            return _Had(lines, [*problems, unasked], answered=False)
        version, _, label = wanted[name].partition("+")
        if label and lines[name].endswith(f"+{label}"):
            lines[name] = f"{name}=={version}"
            missing = f"The index has no {name} {wanted[name]}: {version} is taken, with what it needs."
            problems.append(Problem(missing=missing, help=_INDEX))
        else:
            del lines[name]
            problems = [one for one in problems if not one.missing.startswith(f"The index has no {name} ")]
            problems.append(
                Problem(missing=f"The index has no {name} {wanted[name]}: it will be missing.", help=_INDEX)
            )
    raise InvalidState(f"The index lacks more than {_MOST_MISSING} of the recorded packages: try --env current.")


def differences(text: str) -> list[Problem]:
    """In what the packages of this interpreter differ from the recorded ones."""
    wanted = recorded(text)
    here = {_plain(str(one.metadata["Name"])): one.version for one in importlib.metadata.distributions()}
    found = []
    for name, version in wanted.items():
        now = here.get(_plain(name))
        if now != version:
            found.append(f"{name} {version} ({now or 'not'} here)")
    if not found:
        return []
    shown = ", ".join(found[:10]) + (f" and {len(found) - 10} more" if len(found) > 10 else "")
    return [Problem(missing=f"Packages differ: {shown}.", help="--env recorded installs the recorded ones.")]


def interpreter_of(folder: Path) -> Path:
    """The interpreter of an environment."""
    return scripts_of(folder) / ("python.exe" if sys.platform == "win32" else "python")


def scripts_of(folder: Path) -> Path:
    return folder / ("Scripts" if sys.platform == "win32" else "bin")


def _interpreter(python: str | None) -> tuple[str, list[Problem]]:
    """An interpreter of the recorded version, else the nearest there is."""
    here = platform.python_version()
    if python is None or python == here:
        return sys.executable, []
    minor = ".".join(python.split(".")[:2])
    for name in (f"python{python}", f"python{minor}"):
        path = shutil.which(name)
        version = _version(path) if path else None
        if path and version and version.startswith(f"{minor}."):
            return path, [] if version == python else [_other(python, version)]
    return sys.executable, [_other(python, here)]


def _version(program: str) -> str | None:
    done = called([program, "-I", "-c", "import platform; print(platform.python_version())"])
    return done.stdout.strip() if not done.returncode else None


def _other(python: str, taken: str) -> Problem:
    return Problem(missing=f"The run had Python {python}; {taken} is taken.", help=f"Install Python {python} for more.")


def _checked(lines: list[str], interpreter: str, uv: str | None) -> str | None:
    """What the installer says where the index lacks something; None where it has everything. Nothing is installed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        ask = [interpreter, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps", "--ignore-installed", "-r"]
        if uv:
            ask = [uv, "pip", "compile", "--quiet", "--no-deps", "--python", interpreter]
        done = called([*ask, str(file)])
    return (done.stderr or done.stdout or "it says nothing") if done.returncode else None


def _named(said: str, lines: Mapping[str, str]) -> str | None:
    known = {_plain(name): name for name in lines}
    said = " ".join(said.replace("│", " ").split())
    for pattern in _UNKNOWN:
        match = pattern.search(said)
        if match and _plain(match[1].rstrip(".,")) in known:
            return known[_plain(match[1].rstrip(".,"))]
    return None


def _own(wanted: Mapping[str, str], place: Place) -> tuple[dict[str, str], list[Problem]]:
    """Packages that this interpreter has from a folder, in the recorded version: they are installed from there. What is
    not in the repository is taken as it is now, which is told."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name, version in wanted.items():
        try:
            one = importlib.metadata.distribution(name)
            about = json.loads(one.read_text("direct_url.json") or "{}")
        except (importlib.metadata.PackageNotFoundError, ValueError):
            continue
        url = urlsplit(str(about.get("url", "")))
        folder = Path(unquote(url.path))
        if one.version != version or url.scheme != "file" or not folder.exists():
            continue
        moved = place(folder)
        if moved is None and folder.is_dir():
            problems.append(
                Problem(missing=f"{name} {version} is installed from {folder} as it is now, not as it was.")
            )
        editable = about.get("dir_info", {}).get("editable")
        found[name] = f"-e {moved or folder}" if editable else f"{name} @ {(moved or folder).as_uri()}"
    return found, problems


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
