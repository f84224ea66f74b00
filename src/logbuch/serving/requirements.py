"""The requirements of a model, as its folder lists them, and what is taken of them.

The list comes from whoever logged the model. Only names with versions are taken: an option, an address or a path would
let it choose where code is fetched from.
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from logbuch.errors import InvalidInput
from logbuch.limits import clip

FILE = "requirements.txt"
_VERSION = r"(?:===|[<>=!~]=|[<>])\s*[A-Za-z0-9][A-Za-z0-9.*+!_-]*\s*"
_NAMED = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:(?P<extras>\[[A-Za-z0-9._,\s-]*\])\s*)?"
    rf"(?P<versions>(?:{_VERSION}(?:,\s*{_VERSION})*)?)(?P<marker>;(?:[A-Za-z0-9_.'\"<>=!~()+*,\s]|(?<!\s)-)*)?",
    re.ASCII,
)
"""Each text is read in one way, so that a strange one costs no time. A dash behind a space would begin an option."""
_LARGEST, _LONGEST = 1024 * 1024, 1000
"""Bytes of the file, characters of a line."""
_CONSTRAINTS = "-c constraints.txt"


def read(folder: Path) -> list[str]:
    """The requirements of a model's folder, one a line; InvalidInput names the line that is none."""
    file = folder / FILE
    if not file.is_file():
        raise InvalidInput(f"The model lists no requirements: its folder has no {FILE}.")
    found: list[str] = []
    for line in _lines(file):
        if line == _CONSTRAINTS:
            constrained = folder / "constraints.txt"
            found += [one for one in _lines(constrained) if constrained.is_file() and not _named_in(one, found)]
        else:
            found.append(line)
    for line in found:
        if len(line) > _LONGEST or _NAMED.fullmatch(line) is None:
            raise InvalidInput(
                f"The model's requirement {clip(line)!r} is taken by no fresh environment: a name is wanted, "
                "with versions if need be, no option and no address."
            )
    return found


def pinned(requirements: list[str]) -> list[str]:
    """The same, each without a version pinned to what is installed here."""
    return [_pin(line) for line in requirements]


def _pin(line: str) -> str:
    match = _NAMED.fullmatch(line)
    if match is None or match["versions"].strip():
        return line
    try:
        version = metadata.version(match["name"]).partition("+")[0]  # no registry has local versions such as +cpu
    except metadata.PackageNotFoundError:
        return line
    return f"{match['name']}{match['extras'] or ''}=={version}{match['marker'] or ''}"


def _lines(file: Path) -> list[str]:
    if not file.is_file():
        return []
    if file.stat().st_size > _LARGEST:
        raise InvalidInput(f"The model's {file.name} is larger than {_LARGEST} bytes.")
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"The model's {file.name} is not UTF-8.") from None
    lines = (line.partition(" #")[0].strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _named_in(line: str, others: list[str]) -> bool:
    match = _NAMED.fullmatch(line)
    return match is not None and any(name(other) == match["name"].lower() for other in others)


def name(line: str) -> str:
    """The package that a requirement is for, in lower case."""
    match = _NAMED.fullmatch(line)
    return match["name"].lower() if match else ""
