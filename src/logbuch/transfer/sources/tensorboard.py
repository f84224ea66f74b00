"""A folder of TensorBoard's event files as a source: a run a folder that holds some, in one experiment.

Scalars become metrics, hyperparameters params, histograms histograms; pictures, sounds, PR curves and texts become
files of the run. Read are old summaries (PyTorch, tensorboardX, TensorFlow 1) and tensors (TensorFlow 2, JAX).
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from logbuch.errors import InvalidInput
from logbuch.model import Experiment, LifecycleStage, Param, Run, RunData, RunInfo, RunStatus, Tag
from logbuch.store.histograms import Histogram
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.tx import LogLines
from logbuch.transfer import naming, walking
from logbuch.transfer.columns import Columns
from logbuch.transfer.formats import BROKEN, summaries, tfrecords
from logbuch.transfer.formats.protobuf import Torn
from logbuch.transfer.formats.summaries import (
    AUDIO,
    HISTOGRAM,
    HPARAMS,
    IMAGE,
    PR_CURVE,
    SCALAR,
    TEXT,
    Event,
    Plugins,
    Session,
    Value,
)
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun

MARK = "tfevents"
_SESSION = re.compile(r"\d{10}\.\d+")
"""What ``add_hparams`` calls a folder: ``str(time.time())``."""
GRAPHS = "graphs, which are left out"
FOLDER_TAG, GROUP_TAG = "logbuch.tensorboard.folder", "logbuch.tensorboard.group"
_EXPERIMENT_ID = "0"
_MAX_TIME = 2**53
_FOLDERS = {IMAGE: "images", AUDIO: "media/audio", PR_CURVE: "media/pr-curve", TEXT: "text"}
"""Where the files of each kind lie, see docs/reference/media.md."""
Place = tuple[Path, int, int, int]
"""Where a value stands: its file, the offset and size of its record, its number in that."""


class _Kept(NamedTuple):
    """A value that is no scalar: it is read again when it is wanted."""

    kind: str
    key: str
    step: int
    time: int
    place: Place


class _Scan:
    """What the event files of one run hold: scalars in columns, all else by its place."""

    def __init__(self, files: Iterable[Path], report: Report) -> None:
        self.report = report
        self.keys = naming.Keys(report)
        self.plugins = Plugins()
        self.scalars = Columns()
        self.kept: list[_Kept] = []
        self.params: dict[str, str] = {}
        self.group = ""
        self.start: float | None = None
        self.end: float | None = None
        self.status = 0
        for file in files:
            try:
                self._file(file)
            except OSError as error:
                report.lost(str(file), error.strerror or error)

    def _file(self, file: Path) -> None:
        for number, record in enumerate(tfrecords.read(file, self.report.lost), start=1):
            try:
                self._event(file, record, summaries.event(record.data, self.plugins))
            except BROKEN as error:
                self.report.lost(f"record {number} of {file}", error)

    def _event(self, file: Path, record: tfrecords.Record, event: Event) -> None:
        time = _milliseconds(event.time)
        self.start = event.time if self.start is None else min(self.start, event.time)
        self.end = event.time if self.end is None else max(self.end, event.time)
        self.report.note(GRAPHS, bool(event.other))
        for number, value in enumerate(event.values):
            try:
                self._value(value, event.step, time, (file, record.offset, len(record.data), number))
            except BROKEN as error:
                self.report.lost(f"value {value.tag!r} at step {event.step} of {file}", error)

    def _value(self, value: Value, step: int, time: int, place: Place) -> None:
        if value.kind == SCALAR:
            found = summaries.scalar(value.message)
            if found is None:
                raise Torn("it is a tensor")
            self.scalars.add(value.tag, step, time, found)
        elif value.kind == HPARAMS:
            self._session(summaries.session(self.plugins.of(value.tag, value.message)[1]))
        elif value.kind in (HISTOGRAM, *_FOLDERS):
            self.kept.append(_Kept(value.kind, self.keys.of(value.tag), step, time, place))
        else:
            raise Torn(f"it is of the plugin {value.kind!r}, which is not taken over")

    def _session(self, found: Session) -> None:
        self.params |= found.params
        self.group = found.group or self.group
        self.status = found.status or self.status


class TensorBoardFolder:
    """See :class:`logbuch.transfer.source.Source`. ``experiment`` is its name here; the folder's where it is empty."""

    partial = False
    one_by_one = True

    def __init__(self, folder: Path, report: Report, *, experiment: str = "") -> None:
        self.report = report
        self.name = str(folder)
        self._root = folder.absolute()
        self._files = _event_files(self._root, report)
        if not self._files:
            raise InvalidInput(f"{folder} is no folder of TensorBoard's: no file below it is called …{MARK}….")
        self._experiment = experiment or self._root.name or "tensorboard"
        self._scan: tuple[str, _Scan] | None = None

    def experiments(self) -> Iterable[Experiment]:
        start = min(int(files[0].stat().st_mtime * 1000) for files in self._files.values())
        yield Experiment(
            experiment_id=_EXPERIMENT_ID,
            name=self._experiment,
            artifact_location="",
            lifecycle_stage=LifecycleStage.ACTIVE,
            creation_time=start,
            last_update_time=start,
        )

    def runs(self, experiment: Experiment) -> Iterable[SourceRun]:
        for folder, files in self._files.items():
            scan = _Scan(files, self.report)
            if scan.start is None:
                self.report.lost(f"run {folder}", "its files hold no event")
                continue
            name = folder if folder != "." else self._root.name
            id_ = naming.run_id("tensorboard", experiment.name, folder, files[0].name)
            self._scan = (id_, scan)
            yield SourceRun(_run(id_, name, folder, scan))

    def points(self, run: SourceRun) -> Iterator[Incoming]:
        scan = self._of(run)
        return scan.scalars.points(scan.keys, self.report)

    def histograms(self, run: SourceRun) -> Iterator[Histogram]:
        for kept in self._of(run).kept:
            if kept.kind == HISTOGRAM:
                try:
                    found = summaries.histogram(self._value(kept.place))
                except BROKEN as error:
                    self.report.lost(
                        f"histogram {kept.key!r} at step {kept.step} of run {run.run.info.run_name}", error
                    )
                    continue
                if found is not None:
                    yield Histogram(kept.key, kept.step, kept.time, *found, 0, 0)

    def lines(self, run: SourceRun) -> Iterator[LogLines]:  # noqa: ARG002  event files hold no output
        return iter(())

    # -- files ---------------------------------------------------------------------------------------------------------

    def files(self, run: SourceRun) -> Iterator[SourceFile]:
        for at, kept in enumerate(self._of(run).kept):
            try:
                for number, (content, suffix) in enumerate(self._contents(kept)):
                    place = f"{kept.place[0].name} {kept.place[1]} {kept.place[3]} {number}"
                    key = kept.key if number == 0 else f"{kept.key}/{number}"
                    path = naming.file_name(_FOLDERS[kept.kind], key, kept.step, kept.time, place, suffix)
                    yield SourceFile(path, len(content), f"{at} {number}")
            except (*BROKEN, OSError) as error:
                self.report.lost(f"{kept.kind} {kept.key!r} at step {kept.step} of run {run.run.info.run_name}", error)

    def _contents(self, kept: _Kept) -> Iterable[tuple[bytes, str]]:
        if kept.kind == TEXT:
            return [(summaries.text(self._value(kept.place)).encode(), "md")]
        if kept.kind == PR_CURVE:
            curve = {"type": "pr-curve", "curves": [summaries.pr_curve(self._value(kept.place), kept.key)]}
            return [(json.dumps(curve).encode(), "json")]
        if kept.kind not in (IMAGE, AUDIO):
            return []
        read = summaries.pictures if kept.kind == IMAGE else summaries.sounds
        return [(one, summaries.suffix(one)) for one in read(self._value(kept.place))]

    def open(self, file: SourceFile) -> BinaryIO:
        assert self._scan is not None
        at, _, number = file.place.partition(" ")
        return io.BytesIO(list(self._contents(self._scan[1].kept[int(at)]))[int(number)][0])

    def totals(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        self._scan = None

    def _of(self, run: SourceRun) -> _Scan:
        """The scan of the run that was told of last: they are moved one by one."""
        assert self._scan is not None and self._scan[0] == run.run.info.run_id
        return self._scan[1]

    def _value(self, place: Place) -> Any:
        file, offset, size, number = place
        with file.open("rb") as content:
            content.seek(offset)
            return summaries.event(content.read(size), Plugins()).values[number].message


def _run(id_: str, name: str, folder: str, scan: _Scan) -> Run:
    start, end = _milliseconds(scan.start or 0.0), _milliseconds(scan.end or 0.0)
    status = {2: RunStatus.FAILED, 3: RunStatus.RUNNING}.get(scan.status, RunStatus.FINISHED)
    keys = naming.Keys(scan.report)
    params = tuple(Param(key=keys.of(key), value=value) for key, value in scan.params.items())
    tags = [Tag(key=FOLDER_TAG, value=folder)]
    if scan.group:
        tags.append(Tag(key=GROUP_TAG, value=scan.group))
    if any(kept.kind == IMAGE for kept in scan.kept):
        tags.append(Tag(key="mlflow.loggedImages", value="True"))
    info = RunInfo(
        run_id=id_,
        experiment_id=_EXPERIMENT_ID,
        run_name=name,
        user_id="",
        status=status,
        start_time=start,
        end_time=None if status is RunStatus.RUNNING else end,
        lifecycle_stage=LifecycleStage.ACTIVE,
        artifact_uri="",
    )
    return Run(info=info, data=RunData(param_list=params, tag_list=tuple(tags)))


def _event_files(root: Path, report: Report) -> dict[str, list[Path]]:
    """The event files of each run's folder, the oldest first; the names say when they were begun."""
    found: dict[str, list[Path]] = {}
    for file in walking.files(root, report):
        if MARK not in file.name:
            continue
        if file.is_symlink():
            report.lost(str(file), "it is a link, and is not followed")
            continue
        if file.stat().st_size:
            found.setdefault(file.parent.relative_to(root).as_posix(), []).append(file)
    return _with_sessions(found)


def _with_sessions(found: dict[str, list[Path]]) -> dict[str, list[Path]]:
    """Each folder's files with those of the session of hyperparameters in it, which is the same training.

    PyTorch's and tensorboardX's ``add_hparams`` write to a folder of their own, named by the second. Of several in one
    folder each is a training of its own, for all that can be known.
    """
    sessions: dict[str, list[str]] = {}
    for folder in found:
        parent, _, name = folder.rpartition("/")
        if _SESSION.fullmatch(name) and (parent or ".") in found:
            sessions.setdefault(parent or ".", []).append(folder)
    for parent, (session, *others) in sessions.items():
        if not others:
            found[parent] += found.pop(session)
    return found


def _milliseconds(seconds: float) -> int:
    if not math.isfinite(seconds) or abs(seconds) * 1000 > _MAX_TIME:
        raise Torn(f"{seconds} is no time")
    return round(seconds * 1000)
