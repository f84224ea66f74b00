"""The packages of a model, in the three files that MLflow keeps: requirements.txt, python_env.yaml, conda.yaml."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

import yaml

from logbuch.errors import InvalidInput

ENTRY = {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
"""How the flavor ``python_function`` names them."""


def pinned(packages: Iterable[str]) -> list[str]:
    """``name==version`` of those that are installed, without local versions such as ``+cpu``: no registry has them."""
    found = {}
    for name in packages:
        for known in (name, f"{name}-cpu"):
            try:
                found[known] = metadata.version(known).partition("+")[0]
                break
            except metadata.PackageNotFoundError:
                continue
    return sorted(f"{name}=={version}" for name, version in found.items())


def chosen(
    packages: Iterable[str], pip_requirements: Sequence[str] | str | None, extra: Sequence[str] | str | None
) -> list[str]:
    """The requirements of a model: those given, or else the pinned packages; and the extra ones."""
    given = _lines(pip_requirements, "pip_requirements")
    base = pinned(packages) if given is None else given
    named = [*base, "pyyaml"] if given is None else base
    return list(dict.fromkeys([*named, *(_lines(extra, "extra_pip_requirements") or [])]))


def python_version() -> str:
    return platform.python_version()


def write(folder: Path, requirements: Sequence[str]) -> None:
    """Writes the three files."""
    python = python_version()
    pip = {name: version for name in ("pip", "setuptools") for version in _version(name)}
    built = [*(f"{name}=={version}" for name, version in pip.items()), "wheel"]
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n", encoding="utf-8")
    _dump(
        folder / ENTRY["virtualenv"],
        {"python": python, "build_dependencies": built, "dependencies": ["-r requirements.txt"]},
    )
    installs = [f"python={python}", *(f"pip<={version}" for version in _version("pip")), {"pip": list(requirements)}]
    if "pip" not in pip:
        installs.insert(1, "pip")
    _dump(folder / ENTRY["conda"], {"name": "mlflow-env", "channels": ["conda-forge"], "dependencies": installs})


def _version(name: str) -> list[str]:
    try:
        return [metadata.version(name)]
    except metadata.PackageNotFoundError:
        return []


def _dump(file: Path, content: object) -> None:
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _lines(given: Sequence[str] | str | None, field: str) -> list[str] | None:
    """Requirements as a list: a list of them, or the path of a file."""
    if given is None:
        return None
    if isinstance(given, str):
        file = Path(given)
        if not file.is_file():
            raise InvalidInput(f"Invalid {field} {given!r}: there is no such file.")
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        return [line for line in lines if line and not line.startswith("#")]
    return [str(one) for one in given]
