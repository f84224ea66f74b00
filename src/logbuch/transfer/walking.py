"""The files in a folder, where nothing that cannot be looked into goes unseen."""

from __future__ import annotations

import os
from pathlib import Path

from logbuch.transfer.report import Report

_NOT_THERE = (FileNotFoundError, NotADirectoryError)


def files(folder: Path, report: Report, *, links: bool = True) -> list[Path]:
    """The files in a folder and below it, by path; none where there is no folder.

    Folders that cannot be read are told, and with ``links`` those that lie elsewhere and are linked: neither is walked.
    """

    def lost(error: OSError) -> None:
        if not isinstance(error, _NOT_THERE):
            report.lost(str(error.filename), error.strerror or error)

    found = []
    for place, folders, names in os.walk(folder, onerror=lost):
        found += [Path(place) / name for name in names]
        for linked in (one for one in map(Path(place).joinpath, folders) if links and one.is_symlink()):
            report.lost(str(linked), "it is a link to a folder, and is not followed: import it by itself")
    return sorted(found)
