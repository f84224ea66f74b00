"""What a run has recorded about where it came from."""

from __future__ import annotations

import json
import re
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from logbuch.errors import InvalidInput, LogbuchError
from logbuch.sdk.client import LogbuchClient
from logbuch.sdk.recording import capture

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_KEPT = "logbuch"


class Recorded:
    """A run with its tags and its files below ``logbuch/``, which are fetched into ``folder`` when they are asked for.

    ``NotFound`` for a run that is not there. Tags may have been written by anybody: what is no path within the
    repository, or no commit, is ``InvalidInput``.
    """

    def __init__(self, run_id: str, folder: Path) -> None:
        self._client = LogbuchClient()
        self._folder = folder
        self.run = self._client.get_run(run_id)
        self.run_id = self.run.info.run_id
        tags = self.run.data.tags
        self.tags = tags
        self.command: str | None = tags.get("logbuch.command")
        self.source: str | None = tags.get(capture.SOURCE_NAME)
        self.notebook = tags.get(capture.SOURCE_TYPE) == "NOTEBOOK"
        self.url: str | None = tags.get("mlflow.source.git.repoURL")
        self.dirty = tags.get("mlflow.source.git.dirty") == "true"
        self.untracked = tags.get(capture.UNTRACKED) == "true"
        self.python: str | None = tags.get("logbuch.python")
        self.gpu: str | None = tags.get("logbuch.gpu")
        self.cwd = Path(tags["logbuch.cwd"]) if tags.get("logbuch.cwd") else None
        self.commit = self._commit()
        self.within = self._within()

    @cached_property
    def root(self) -> Path | None:
        """Where the repository was; None where that is not known."""
        if self.cwd is not None and self.within is not None:
            parts = self.within.parts
            return self.cwd if not parts else self.cwd.parents[len(parts) - 1] if self._ends(parts) else None
        return None

    @cached_property
    def files(self) -> frozenset[str]:
        """The paths of its files below ``logbuch/``."""
        try:
            return frozenset(self._listed(_KEPT))
        except LogbuchError:
            return frozenset()

    @cached_property
    def environment(self) -> dict[str, str]:
        """The environment variables that were asked to be kept."""
        found: Any = {}
        place = self.fetched(capture.MACHINE_FILE)
        try:
            found = json.loads(place.read_text("utf-8")) if place is not None else {}
            return {str(name): str(value) for name, value in found.get("environment", {}).items()}
        except (OSError, ValueError, AttributeError):
            return {}

    def sources(self) -> list[str]:
        """The kept sources that git did not have, as seen from ``logbuch/source``; the script is named by its name."""
        prefix = f"{capture.SOURCE_FOLDER}/"
        return sorted(path.removeprefix(prefix) for path in self.files if path.startswith(prefix))

    def patches(self) -> dict[str, str]:
        """The kept changes: from the submodule (the repository itself is "") to the file."""
        found = {"": capture.DIFF_FILE} if capture.DIFF_FILE in self.files else {}
        for path in sorted(self.files):
            match = re.fullmatch(r"logbuch/diff-(.+)\.patch", path)
            if match:
                found[match[1].replace("~", "/")] = path
        return found

    def fetched(self, path: str) -> Path | None:
        """The local copy of a file; None if the run has none of that name."""
        if path not in self.files:
            return None
        place = self._folder / path
        if not place.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            got = Path(self._client.download_artifacts(self.run_id, path, str(self._folder)))
            if got != place:
                got.replace(place)
        return place

    def _listed(self, path: str) -> list[str]:
        found = []
        for info in self._client.list_artifacts(self.run_id, path):
            found += self._listed(info.path) if info.is_dir else [info.path]
        return found

    def _commit(self) -> str | None:
        commit = self.tags.get("mlflow.source.git.commit")
        if commit and not _COMMIT.fullmatch(commit):
            raise InvalidInput(f"The tag mlflow.source.git.commit of run {self.run_id} is no commit: {commit[:80]!r}.")
        return commit or None

    def _within(self) -> PurePosixPath | None:
        text = self.tags.get(capture.GIT_FOLDER)
        return None if text is None else inside(text, f"The tag {capture.GIT_FOLDER} of run {self.run_id}")

    def _ends(self, parts: tuple[str, ...]) -> bool:
        return self.cwd is not None and self.cwd.parts[-len(parts) :] == parts


def inside(text: str, what: str) -> PurePosixPath:
    """A relative path that leads nowhere else; ``InvalidInput`` otherwise."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text:
        raise InvalidInput(f"{what} leads out of the repository: {text[:80]!r}.")
    return path
