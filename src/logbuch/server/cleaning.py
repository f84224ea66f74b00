"""Cleaning up: runs that are given up, files of what is erased, unfinished uploads, files without an owner.

It may run beside servers, trainings and other clean-ups. What is younger than a day and cannot be told from an upload
under way is left alone, and every choice is made again in the transaction that acts on it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from logbuch.errors import LogbuchError, NotFound
from logbuch.files import keys
from logbuch.files.bucket import BucketFiles
from logbuch.files.disk import LocalFiles
from logbuch.files.parts import BucketParts, DiskParts
from logbuch.files.roots import OWNER_KEY, Files, root_name
from logbuch.files.storage import Found
from logbuch.limits import is_run_id
from logbuch.store import Store, artifacts, retention, runs
from logbuch.store.erase import ERASED_AT_ONCE
from logbuch.store.retention import Rule
from logbuch.store.tx import Tx

GRACE_SECONDS = 24 * 3600
"""Unfinished uploads that were heard of since are left alone: they may be under way."""
ORPHAN_SECONDS = 8 * GRACE_SECONDS
"""Folders without an owner that changed since are left alone: the journal of the run, kept for 7 days, may bring it."""


@dataclass(slots=True)
class Report:
    """What a clean-up did, or would do."""

    runs: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    experiments: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    files: int = 0
    bytes: int = 0
    failed: list[str] = field(default_factory=list)


class Cleaning:
    """One clean-up of a store and its files. ``dry`` only looks."""

    def __init__(self, store: Store, files: Files, *, dry: bool) -> None:
        self._store, self._files, self._dry = store, files, dry
        now = time.time()
        self._young, self._fresh = now - GRACE_SECONDS, now - ORPHAN_SECONDS
        self.report = Report()

    def runs(self, rule: Rule) -> None:
        """Erases the runs that the rule gives up, and what is left of deleted models and experiments."""
        found = self._store.read(retention.candidates, rule)
        self.report.kept = found.kept
        chosen = list(found.runs)
        for start in range(0, len(chosen), ERASED_AT_ONCE):
            part = chosen[start : start + ERASED_AT_ONCE]
            gone = part if self._dry else [run.run_id for run in self._store.write(retention.remove, part, rule)]
            self.report.runs |= {run_id: found.runs[run_id] for run_id in gone}
        if not self._dry and not rule.statuses and not rule.run_ids and not rule.experiment_ids:
            self._store.write(retention.remove_models, rule.before)
            self.report.experiments = self._store.write(retention.remove_experiments, rule.before)

    def erased(self) -> None:
        """Removes the files of all that is erased, also what an earlier clean-up or server left."""
        prefixes = self._store.read(artifacts.doomed)
        if self._dry:
            prefixes += [self._store.read(_folder_of, run_id) for run_id in self.report.runs]
        for prefix in prefixes:
            self._remove_folder(prefix)

    def uploads(self) -> None:
        """Gives up uploads that nobody has gone on with for a day."""
        for upload in self._store.read(artifacts.uploads_before, int(self._young * 1000)):
            self.report.uploads.append(upload.key)
            if self._dry:
                continue
            with self._forgiving(upload.key):
                root, inside = self._files.place(upload.key)
                if isinstance(root, BucketFiles):
                    BucketParts(root, inside, upload).abort()
                elif isinstance(root, LocalFiles):
                    DiskParts(root, inside, upload).abort()
                self._store.write(artifacts.end_upload, upload.id)

    def orphans(self) -> None:
        """Removes unfinished uploads and folders of runs and models that do not exist, in the experiments' places.

        Only from roots that belong to this store alone: what another one keeps there looks like nobody's from here.
        """
        mine = self._files.claim(self._store.id)
        for name in mine:
            self._leftovers(name)
        for place in self._store.read(retention.places):
            if root_name(place) in mine:
                with self._forgiving(place):
                    self._folders_of(place)

    def _leftovers(self, root_name: str) -> None:
        """Unfinished uploads of a root. Those that can be gone on with are known to the store, and left to it."""
        known = self._store.read(artifacts.uploads_known)
        root, _ = self._files.place(root_name)
        for found in root.walk():
            if found.pending and found.key != OWNER_KEY and found.modified < self._young and not _belongs(found, known):
                self.report.uploads.append(found.key)
                self._count(found)
                if not self._dry:
                    with self._forgiving(found.key):
                        root.discard(found)

    def _folders_of(self, place: str) -> None:
        names = [entry.path for entry in self._files.list(place) if entry.is_dir]
        owners = [name for name in names if is_run_id(name) and name != "models"]
        known = self._store.read(retention.known_runs, owners)
        for name in owners:
            if name not in known:
                self._orphan(f"{place}/{name}")
        if "models" in names:
            models = [entry.path for entry in self._files.list(f"{place}/models") if entry.is_dir]
            known = self._store.read(retention.known_models, models)
            for name in models:
                if name not in known:
                    self._orphan(f"{place}/models/{name}")

    def _orphan(self, folder: str) -> None:
        """Only what looks like the folder of a run is taken for one: it holds ``artifacts`` and nothing else."""
        if [entry.path for entry in self._files.list(folder)] != ["artifacts"]:
            return
        if all(found.modified < self._fresh for found in self._files.walk(folder)):
            self._remove_folder(folder)

    def _remove_folder(self, folder: str) -> None:
        with self._forgiving(folder):
            checked = keys.join(folder)
            for found in self._files.walk(checked):
                self._count(found)
            self.report.folders.append(folder)
            if self._dry:
                return
            with suppress(NotFound):
                self._files.delete(checked)
            self._store.write(artifacts.removed, folder)

    def _count(self, found: Found) -> None:
        self.report.files += 1
        self.report.bytes += found.size

    def _forgiving(self, key: str) -> Any:
        return _Forgiving(self.report, key)


class _Forgiving:
    """What cannot be removed now is told, and holds up nothing else."""

    def __init__(self, report: Report, key: str) -> None:
        self._report, self._key = report, key

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, LogbuchError | OSError):
            self._report.failed.append(f"{self._key}: {error}")
            return True
        return False


def _belongs(found: Found, known: set[str]) -> bool:
    name = found.key.rpartition("/")[2].removeprefix(keys.TEMPORARY)
    return name in known or getattr(found, "upload", "") in known


def _folder_of(tx: Tx, run_id: str) -> str:
    return f"{runs.artifact_folder(tx, run_id)}/{run_id}"
