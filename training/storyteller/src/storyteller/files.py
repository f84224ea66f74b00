"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from storyteller.errors import DataError


@contextlib.contextmanager
def written(target: Path) -> Iterator[Path]:
    """Gives a place beside a file or folder to write to, which takes its name when the block is left in peace.

    ``DataError`` says in one line what the operating system refused, a full disk for example; then nothing is left.
    """
    place = target.parent / f".{target.name}.{os.getpid()}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield place
        _sync(place)
        if target.is_dir():
            shutil.rmtree(target)
        place.replace(target)
        _sync_one(target.parent)
    except OSError as error:
        raise DataError(f"{target} cannot be written: {error.strerror or error}.") from None
    finally:
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)


def md5(file: Path) -> str:
    """The hash by which a tracker knows a file: of those that tell whether it is the same the one that fits into the 36
    characters that MLflow has for it."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _sync(place: Path) -> None:
    for one in place.iterdir() if place.is_dir() else ():
        _sync_one(one)
    _sync_one(place)


def _sync_one(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
