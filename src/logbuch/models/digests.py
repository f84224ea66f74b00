"""The digest of a model's folder: what was logged is what is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from logbuch.errors import InvalidInput

_CHUNK = 1024 * 1024
_LEFT_OUT = ("registered_model_meta",)
"""What the real client puts into folders that it downloaded."""
TAG = "logbuch.model.digest"
"""The tag that keeps it: of a logged model, or of a run with the path of the model's folder behind it."""

WRITTEN_HERE: set[str] = set()
"""Digests of the folders that this process saved itself: their code is its own."""


def digest(folder: str | Path) -> str:
    """``sha256:`` and the hexadecimal SHA-256 over the names of all files, sorted, and their contents.

    Each file counts as the length of its name and its size (8 bytes each, big endian), name and content, so that no
    two folders run together.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InvalidInput(f"No such folder: {str(folder)!r}")
    whole = hashlib.sha256()
    for file in files(root):
        name = file.relative_to(root).as_posix().encode()
        whole.update(len(name).to_bytes(8) + file.stat().st_size.to_bytes(8) + name)
        with file.open("rb") as content:
            while chunk := content.read(_CHUNK):
                whole.update(chunk)
    return f"sha256:{whole.hexdigest()}"


def files(root: Path) -> Iterator[Path]:
    """The files of a model's folder, in the order of the digest; what Python left behind is not among them."""
    found = (file for file in root.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    yield from sorted(
        (file for file in found if file.relative_to(root).as_posix() not in _LEFT_OUT),
        key=lambda file: file.relative_to(root).as_posix().encode(),
    )
