"""The data sets of a run: whether their files are there, and whether they are the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from logbuch.model import Dataset, Run
from logbuch.sdk.reproducing.problems import Problem

_HASHES = ("sha256", "md5", "sha1", "sha512", "blake2b")
_WHOLE = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
"""Digests that are a hash of the file and nothing else, by their length."""
_SHORTEST = 8
_BLAKE_BYTES = 8


def local_files(run: Run, cwd: Path | None) -> Iterator[tuple[Dataset, str, Path]]:
    """The data sets that are local files: each with the recorded path, and where that was."""
    for used in run.inputs.dataset_inputs:
        uri = _uri(used.dataset)
        if uri is None:
            continue
        parts = urlsplit(uri)
        path = unquote(parts.path) if parts.scheme == "file" else uri if len(parts.scheme) < 2 else None
        if path:
            place = Path(path)
            yield used.dataset, path, place if place.is_absolute() or cwd is None else cwd / place


def problem(dataset: Dataset, place: Path) -> Problem | None:
    """What is wrong with a data set's file; None where its digest is that of the file, or tells nothing of it."""
    if not place.exists():
        return Problem(
            missing=f"The data set {dataset.name!r} is gone: there is no {place}.",
            help="Put it back there, or reproduce the run where it is.",
        )
    if place.is_dir():
        return None
    expected = dataset.digest.lower().rpartition(":")[2]
    if not re.fullmatch(rf"[0-9a-f]{{{_SHORTEST},}}", expected):
        return None
    if any(found.startswith(expected) for found in _digests(place)):
        return None
    if len(expected) not in _WHOLE:  # a hash of a frame, an array or a description: the new run makes it again
        return None
    return Problem(
        missing=f"The data set {dataset.name!r} has changed: {place} has another hash than {dataset.digest}.",
        help="Bring back the file as it was.",
    )


def _digests(place: Path) -> list[str]:
    hashes = [hashlib.new(name) for name in _HASHES] + [hashlib.blake2b(digest_size=_BLAKE_BYTES)]
    with place.open("rb") as file:
        while piece := file.read(1 << 20):
            for one in hashes:
                one.update(piece)
    return [one.hexdigest() for one in hashes]


def _uri(dataset: Dataset) -> str | None:
    try:
        source = json.loads(dataset.source)
    except ValueError:
        return dataset.source or None
    found = source.get("uri") if isinstance(source, dict) else None
    return found if isinstance(found, str) and found else None
