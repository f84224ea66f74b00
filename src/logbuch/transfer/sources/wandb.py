"""Folders of W&B runs as a source: what its client writes beside the training, offline or not.

    wandb/offline-run-<time>-<id>/run-<id>.wandb    records, see :mod:`logbuch.transfer.formats.leveldb`
    wandb/offline-run-<time>-<id>/files/            pictures, tables, output and whatever the run has saved

The records are those of wandb_internal.proto, which W&B publishes with its client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from logbuch.errors import InvalidInput
from logbuch.model import Experiment, LifecycleStage, Param, Run, RunData, RunInfo, RunStatus, Tag
from logbuch.store.histograms import Histogram
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.tx import LogLines
from logbuch.transfer import naming, walking
from logbuch.transfer.formats import BROKEN
from logbuch.transfer.formats.wandb_records import Media, Records
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun

DEFAULT_PROJECT = "uncategorized"
_PICTURES, _SOUNDS = frozenset({"image-file", "images/separated"}), frozenset({"audio-file", "audio"})


class WandbFolder:
    """See :class:`logbuch.transfer.source.Source`. Projects are experiments; ``experiment`` is one for all of them."""

    partial = False
    one_by_one = True

    def __init__(self, folder: Path, report: Report, *, experiment: str = "") -> None:
        self.report = report
        self.name = str(folder)
        self._root = folder.resolve()
        self._groups = _groups(self._root, report)
        if not self._groups:
            raise InvalidInput(f"{folder} is no folder of W&B's: no file below it is called run-….wandb.")
        self._experiment = experiment
        self._projects = {id_: self._project(files) for id_, files in self._groups.items()}
        self._read: tuple[str, Records, naming.Keys] | None = None

    def _project(self, files: list[Path]) -> str:
        """The project of a run, which stands at the beginning of its file; empty for a file that cannot be read."""
        for file in files:
            try:
                return Records([file], Report(), head=True).project or DEFAULT_PROJECT
            except (InvalidInput, OSError):
                continue
        return ""

    def experiments(self) -> Iterable[Experiment]:
        for id_, project in self._projects.items():
            if not project:
                self.report.lost(f"run {id_}", f"{self._groups[id_][0]} cannot be read")
        names = sorted({self._experiment or project for project in self._projects.values() if project})
        for number, name in enumerate(names):
            yield Experiment(
                experiment_id=str(number),
                name=name,
                artifact_location="",
                lifecycle_stage=LifecycleStage.ACTIVE,
                creation_time=0,
                last_update_time=0,
            )

    def runs(self, experiment: Experiment) -> Iterable[SourceRun]:
        for id_, files in self._groups.items():
            project = self._projects[id_]
            if not project or (self._experiment or project) != experiment.name:
                continue
            records = Records(files, self.report)
            self._read = (id_, records, naming.Keys(self.report))
            yield SourceRun(_run(id_, experiment, records))

    def points(self, run: SourceRun) -> Iterator[Incoming]:
        _, records, keys = self._of(run)
        return records.metrics.points(keys, self.report)

    def histograms(self, run: SourceRun) -> Iterator[Histogram]:
        _, records, keys = self._of(run)
        for media in records.media:
            if media.kind != "histogram" or not isinstance(media.body.get("bins"), list):
                continue
            try:
                yield _histogram(media, keys.of(media.key))
            except BROKEN as error:
                self.report.lost(f"histogram {media.key!r} at step {media.step} of run {run.run.info.run_id}", error)

    def lines(self, run: SourceRun) -> Iterator[LogLines]:
        return iter(self._of(run)[1].output())

    # -- files ---------------------------------------------------------------------------------------------------------

    def files(self, run: SourceRun) -> Iterator[SourceFile]:
        """Pictures and sounds as series, every other file under its own name; of a resumed run the last one wins."""
        id_, records, keys = self._of(run)
        found: dict[str, SourceFile] = {}
        placed = dict(_series(records, keys))
        for base in (file.parent / "files" for file in self._groups[id_]):
            for file in sorted(base.rglob("*")) if base.is_dir() else ():
                path = file.relative_to(base).as_posix()
                why = self._leads_out(file)
                if why:
                    placed.pop(path, "")
                    self.report.lost(f"file {path!r} of run {id_}", why)
                elif file.is_file():
                    name = placed.pop(path, path)
                    found[name] = SourceFile(name, file.stat().st_size, str(file))
        for path in placed:
            self.report.lost(f"file {path!r} of run {id_}", "it is not there")
        yield from found.values()

    def _leads_out(self, file: Path) -> str:
        """Why a file is not taken: W&B's client links what it saves, which may lie anywhere on the machine."""
        if file.is_symlink() and not file.exists():
            return "it is a link to what is not there any more"
        target = file.resolve()
        if not target.is_relative_to(self._root):
            return f"it is a link that leads out of {self._root}, to {target}"
        return "it is a link to a folder" if file.is_symlink() and target.is_dir() else ""

    def open(self, file: SourceFile) -> BinaryIO:
        return Path(file.place).open("rb")

    def totals(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        self._read = None

    def _of(self, run: SourceRun) -> tuple[str, Records, naming.Keys]:
        """What was read of the run that was told of last: they are moved one by one."""
        assert self._read is not None and self._read[0] == run.run.info.run_id
        return self._read


def _groups(folder: Path, report: Report) -> dict[str, list[Path]]:
    """The files of each run by its ID; a resumed run has several, and their folders are called by the time. The folder
    of the latest run is linked a second time by W&B's client."""
    found: dict[str, list[Path]] = {}
    for file in walking.files(folder, report, links=False):
        if file.match("run-*.wandb") and not file.is_symlink():
            found.setdefault(file.stem.removeprefix("run-"), []).append(file)
    return found


def _series(records: Records, keys: naming.Keys) -> Iterator[tuple[str, str]]:
    """The path of each picture and sound, and its name in a series."""
    for media in records.media:
        if media.kind not in _PICTURES | _SOUNDS:
            continue
        listed = media.body.get("filenames")
        names = listed if isinstance(listed, list) else [media.body.get("path")]
        for number, path in enumerate(name for name in names if isinstance(name, str)):
            key = keys.of(media.key) + (f"/{number}" if number else "")
            folder = "images" if media.kind in _PICTURES else "media/audio"
            suffix = path.rpartition(".")[2]
            yield path, naming.file_name(folder, key, media.step, media.time, path, suffix)


def _histogram(media: Media, key: str) -> Histogram:
    """Raises what BROKEN names for edges and counts that are no numbers."""
    edges, counts = ([float(one) for one in media.body[name]] for name in ("bins", "values"))
    return Histogram(key, media.step, media.time, edges, counts, 0, 0)


def _run(id_: str, experiment: Experiment, records: Records) -> Run:
    status = {None: RunStatus.KILLED, 0: RunStatus.FINISHED}.get(records.exit_code, RunStatus.FAILED)
    info = RunInfo(
        run_id=id_,
        experiment_id=experiment.experiment_id,
        run_name=records.texts.get("name", "") or id_,
        user_id=records.texts.get("user", ""),
        status=status,
        start_time=records.start,
        end_time=max(records.start, records.end),
        lifecycle_stage=LifecycleStage.ACTIVE,
        artifact_uri="",
    )
    keys = naming.Keys(records.report)
    params = [Param(key=keys.of(key), value=value) for key, value in records.params()]
    tags = [Tag(key=key, value=value) for key, value in records.tags() if value]
    return Run(info=info, data=RunData(param_list=tuple(params), tag_list=tuple(tags)))
