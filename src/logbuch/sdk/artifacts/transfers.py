"""Uploads for which somebody waits: errors are raised, nothing is queued."""

from __future__ import annotations

import tempfile
from pathlib import Path

from logbuch.sdk.artifacts import archives, files
from logbuch.sdk.backends.backend import Backend


def upload(backend: Backend, run_id: str, local: Path, folder: str | None, compress: str | None) -> list[str]:
    """Sends a file, or the content of a folder (with ``compress`` as one archive); the paths in the run."""
    run = backend.get_run(run_id).info
    if compress is None:
        sent = []
        for file, name in files.local_files(local):
            sent.append(files.join(folder, name))
            backend.upload(run, sent[-1], file)
        return sent
    kind = archives.check_kind(compress)
    path = files.join(folder, archives.name_of(local, kind))
    with tempfile.TemporaryDirectory(prefix="logbuch-") as place:
        packed = Path(place) / Path(path).name
        archives.pack(files.local_files(local), kind, packed)
        backend.upload(run, path, packed)
    return [path]
