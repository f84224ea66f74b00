"""Reading the folders and files of an ``mlruns`` folder. What cannot be read is named and left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from logbuch.transfer import walking
from logbuch.transfer.report import Report

META = "meta.yaml"
LINKED = "folders that are links, and were followed"
STRAY = "files that a file manager has left, and nobody has logged"
_STRAY = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_APPLE = "._"
"""Begins the names of the files in which macOS keeps what other file systems have no place for."""
_NOT_THERE = (FileNotFoundError, NotADirectoryError)
T = TypeVar("T")


class FolderReader:
    """Tells ``report`` what cannot be read."""

    def __init__(self, report: Report) -> None:
        self.report = report

    def described(self, file: Path, make: Callable[[Mapping[str, Any]], T]) -> T | None:
        """What a YAML file describes; None, and told, where it cannot be read or lacks what it should say."""
        try:
            return make(described(file))
        except OSError as error:
            self.report.lost(str(file), error.strerror or error)
        except KeyError as error:
            self.report.lost(str(file), f"it is torn: {error.args[0]} is missing")
        except (ValueError, TypeError) as error:
            self.report.lost(str(file), f"it is torn: {error}")
        return None

    def children(self, folder: Path) -> list[Path]:
        """The folders in a folder, by name. Linked ones are among them: they may lie on another disk."""
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
            folders = [entry for entry in found if entry.is_dir()]
        except _NOT_THERE:
            return []
        except OSError as error:
            self.report.lost(str(folder), error.strerror or error)
            return []
        self.report.note(LINKED, sum(entry.is_symlink() for entry in folders))
        for entry in found:
            if entry.is_symlink() and not holds(Path(entry.path).exists):
                self.report.lost(entry.path, "it is a link to what is not there")
        return [Path(entry.path) for entry in folders]

    def has_content(self, folder: Path) -> bool:
        """Whether there is anything in a folder. One that cannot be read has some: whoever reads it says why not."""
        try:
            with os.scandir(folder) as entries:
                return any(entries)
        except OSError:
            return True

    def files(self, folder: Path) -> Iterator[Path]:
        """The files in a folder and below it, by name. Links among them are not followed, and are named."""
        for file in walking.files(folder, self.report):
            if file.name in _STRAY or file.name.startswith(_APPLE):
                self.report.note(STRAY)
            elif file.is_symlink():
                self.report.lost(str(file), "it is a link, and is not followed")
            else:
                yield file

    def texts(self, folder: Path) -> Iterator[tuple[str, str]]:
        """The files of a folder: names and contents."""
        for file in self.files(folder):
            try:
                yield file.relative_to(folder).as_posix(), file.read_bytes().decode()
            except OSError as error:
                self.report.lost(str(file), error.strerror or error)
            except UnicodeDecodeError:
                self.report.lost(str(file), "it is torn: that is no text")


def holds(look: Callable[[], bool]) -> bool:
    """What a look at a file says; False where looking is not allowed."""
    try:
        return look()
    except OSError:
        return False


def described(file: Path) -> Mapping[str, Any]:
    """What a YAML file says. ValueError for one that says nothing."""
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the quick one, where the package brings it
        found = yaml.load(file.read_text(encoding="utf-8"), loader)  # noqa: S506  both are safe
    except yaml.YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if not isinstance(found, dict):
        raise ValueError("it describes nothing")
    return found
