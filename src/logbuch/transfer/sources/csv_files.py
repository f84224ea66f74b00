"""CSV files and JSON lines as a source: rows of steps, of points or of runs; see :mod:`logbuch.transfer.layout`."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from logbuch.errors import InvalidInput
from logbuch.limits import INT64_MAX, RUN_NAME_LENGTH
from logbuch.model import Experiment, LifecycleStage, Param, Run, RunData, RunInfo, RunStatus, Tag
from logbuch.store.metrics.incoming import Incoming
from logbuch.transfer import layout, naming, walking
from logbuch.transfer.columns import Columns
from logbuch.transfer.formats import BROKEN, tables
from logbuch.transfer.formats.tables import Row
from logbuch.transfer.layout import Layout, Wanted
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun

UNTIMED = "runs whose points have no time, and 0 here"
_FIRST = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_GERMAN = re.compile(r"(\d\d)\.(\d\d)\.(\d{4})(?=\D|$)")
"""A date with the day in front."""
_EXPERIMENT_ID = "0"
_HEX_ID = frozenset("0123456789abcdef")
_HEADS = {
    "name": ("tags.mlflow.runName", "Name", "name"),
    "user": ("tags.mlflow.user", "User", "user_id"),
    "status": ("status", "Status", "State"),
    "start": ("start_time", "Start Time", "Created"),
    "end": ("end_time",),
}
_WAYS = 4
_LEFT = frozenset({"artifact_uri", "experiment_id", "Duration", "Source Type", "Source Name", "Runtime", "Updated"})
_STATUSES = {"finished": RunStatus.FINISHED, "failed": RunStatus.FAILED, "crashed": RunStatus.FAILED}
_STATUSES |= {"killed": RunStatus.KILLED, "running": RunStatus.RUNNING, "scheduled": RunStatus.SCHEDULED}


class _Run:
    """What the rows of one run say."""

    def __init__(self, name: str, mtime: int) -> None:
        self.name, self.mtime = name, mtime
        self.metrics = Columns()
        self.params: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.head: dict[str, str] = {}
        self.rows = 0
        self.texts: dict[str, set[str]] = {}
        """Cells of columns that hold no numbers, as many as are needed to see whether they are all the same."""


class CsvFiles:
    """See :class:`logbuch.transfer.source.Source`. ``experiment`` is its name here; the folder's where it is empty."""

    partial = False

    def __init__(self, places: Sequence[Path], report: Report, wanted: Wanted, *, experiment: str = "") -> None:
        self.report = report
        self.name = ", ".join(map(str, places))
        places = [_absolute(place) for place in places]
        files = {file: place for place in places for file in _below(place, report)}
        if not files:
            raise InvalidInput(f"{self.name} holds no file that ends in {', '.join(tables.SUFFIXES)}.")
        self._experiment = experiment or (places[0] if places[0].is_dir() else places[0].parent).name or "csv"
        self._runs: dict[str, _Run] = {}
        self._names = _names(files)
        for file, found in self._layouts(files, wanted):
            written = tables.form(file).said() if tables.is_csv(file) else ""
            report.said.append(f"{file}: {found.said()}" + (f" ({written})" if written else ""))
            self._file(file, found)

    def experiments(self) -> Iterable[Experiment]:
        start = min((one.mtime for one in self._runs.values()), default=0)
        yield Experiment(
            experiment_id=_EXPERIMENT_ID,
            name=self._experiment,
            artifact_location="",
            lifecycle_stage=LifecycleStage.ACTIVE,
            creation_time=start,
            last_update_time=start,
        )

    def runs(self, experiment: Experiment) -> Iterable[SourceRun]:
        for id_, found in self._runs.items():
            yield SourceRun(_noun(id_, experiment.experiment_id, found, self.report))

    def points(self, run: SourceRun) -> Iterator[Incoming]:
        return self._runs[run.run.info.run_id].metrics.points(naming.Keys(self.report), self.report)

    def files(self, run: SourceRun) -> Iterator[SourceFile]:  # noqa: ARG002  tables have no files
        return iter(())

    def open(self, file: SourceFile) -> BinaryIO:
        raise FileNotFoundError(file.path)

    def totals(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        self._runs.clear()

    # -- reading -------------------------------------------------------------------------------------------------------

    def _layouts(self, files: Iterable[Path], wanted: Wanted) -> list[tuple[Path, Layout]]:
        """The files whose columns are known, before a row is read. One that names none is lost by itself."""
        found: list[tuple[Path, Layout]] = []
        bad: list[tuple[Path, str]] = []
        for file in files:
            try:
                found.append((file, layout.of(file, _columns(file, wanted), wanted)))
            except tables.Headless as error:
                bad.append((file, error.message))
            except OSError as error:
                bad.append((file, error.strerror or str(error)))
        if not found:
            raise InvalidInput(bad[0][1])
        for file, why in bad:
            self.report.lost(str(file), why)
        return found

    def _file(self, file: Path, found: Layout) -> None:
        self._rows_of: Counter[tuple[str, str]] = Counter()
        mtime = int(file.stat().st_mtime * 1000)
        take = {"wide": self._wide, "long": self._long, "runs": self._whole, "charts": self._charts}[found.kind]
        for line, row in tables.rows(file, self.report.lost):
            try:
                take(file, found, row, mtime)
            except BROKEN as error:
                self.report.lost(f"line {line} of {file}", error)

    def _run(self, file: Path, name: str, mtime: int, *apart: str) -> _Run:
        """The run of a name, and of what tells it apart; without a name, that of the file, wherever others of its
        name lie. IDs of MLflow's and Logbuch's own form stay."""
        shown = name or self._names[file]
        own = len(shown) == 32 and _HEX_ID.issuperset(shown)
        parts = (name, *apart) if name else ("", str(file))
        id_ = shown if own else naming.run_id("csv", self._experiment, *parts)
        return self._runs.setdefault(id_, _Run(shown, mtime))

    def _wide(self, file: Path, found: Layout, row: Row, mtime: int) -> None:
        run = self._run(file, row.get(found.run, ""), mtime)
        step = _step(row[found.step]) if found.step in row else run.rows
        time = _time(row[found.time]) if found.time in row else 0
        run.rows += 1
        for name in found.params:
            if name in row:
                run.params[name] = row[name]
        other = {found.run, found.step, found.time, *found.params, ""}
        for name, cell in row.items():  # of JSON lines a column may come late
            if name in other:
                continue
            value = _number(cell)
            if value is None:
                seen = run.texts.setdefault(name, set())
                if len(seen) < 2:
                    seen.add(cell)
            else:
                run.metrics.add(name, step, time, value)

    def _long(self, file: Path, found: Layout, row: Row, mtime: int) -> None:
        run = self._run(file, row.get(found.run, ""), mtime)
        key, value = row.get(found.key), row.get(found.value)
        if key is None or value is None:
            raise ValueError(f"it has no {found.key if key is None else found.value}")
        number = _number(value)
        if number is None:
            raise ValueError(f"{value[:100]!r} is no number")
        step = _step(row[found.step]) if found.step in row else run.metrics.count(key)
        run.metrics.add(key, step, _time(row[found.time]) if found.time in row else 0, number)
        run.params |= {name: row[name] for name in found.params if name in row}

    def _charts(self, file: Path, found: Layout, row: Row, mtime: int) -> None:
        for column, (name, key) in found.series.items():
            if column in row:
                run = self._run(file, name, mtime)
                value = _number(row[column])
                if value is None:
                    raise ValueError(f"{row[column][:100]!r} is no number")
                step = _step(row[found.step]) if found.step in row else run.rows
                run.metrics.add(key, step, _time(row[found.time]) if found.time in row else 0, value)

    def _whole(self, file: Path, found: Layout, row: Row, mtime: int) -> None:
        """A row that is a run: a prefix says of what kind a column is; else numbers are metrics and texts params."""
        if found.run not in row:
            raise ValueError(f"it has no {found.run}")
        end = _time(_first(row, _HEADS["end"]) or _first(row, _HEADS["start"]) or "0")
        run = self._run(file, row[found.run], mtime, *self._apart(found, row))
        heads = {name for names in _HEADS.values() for name in names}
        run.head |= {name: row[name] for name in heads if name in row}
        for column, cell in row.items():
            kind, dot, key = column.partition(".")
            if column == found.run or column in _LEFT or column in heads:
                continue
            number = _number(cell)
            if dot and kind == "params":
                run.params[key] = cell
            elif dot and kind == "tags":
                run.tags[key] = cell
            elif number is not None:
                run.metrics.add(key if dot and kind == "metrics" else column, 0, end, number)
            else:
                run.params[column] = cell

    def _apart(self, found: Layout, row: Row) -> Sequence[str]:
        """Of rows without an ID: when the run was made, and which of those of one name and time it is."""
        if not found.created:
            return ()
        same = (row[found.run], row.get(found.created, ""))
        self._rows_of[same] += 1
        return (same[1], str(self._rows_of[same]))


def _noun(id_: str, experiment_id: str, found: _Run, report: Report) -> Run:
    for column, seen in found.texts.items():
        if len(seen) == 1 and column not in found.metrics:
            found.params[column] = seen.pop()
        else:
            report.lost(f"texts in column {column!r} of run {found.name!r}", "a metric has numbers alone")
    first, last = found.metrics.times()
    report.note(UNTIMED, bool(found.metrics) and not last)
    start = _head_time(found, "start") or first or found.mtime
    end = _head_time(found, "end") or last or found.mtime
    status = _STATUSES.get(_first(found.head, _HEADS["status"]).lower(), RunStatus.FINISHED)
    keys = naming.Keys(report)
    info = RunInfo(
        run_id=id_,
        experiment_id=experiment_id,
        run_name=_first(found.head, _HEADS["name"]) or found.name,
        user_id=_first(found.head, _HEADS["user"]),
        status=status,
        start_time=start,
        end_time=max(start, end) if status.terminal else None,
        lifecycle_stage=LifecycleStage.ACTIVE,
        artifact_uri="",
    )
    params = [Param(key=keys.of(key), value=value) for key, value in found.params.items()]
    tags = [Tag(key=keys.of(key), value=value) for key, value in found.tags.items()]
    return Run(info=info, data=RunData(param_list=tuple(params), tag_list=tuple(tags)))


def _head_time(found: _Run, which: str) -> int:
    text = _first(found.head, _HEADS[which])
    try:
        return _time(text) if text else 0
    except BROKEN:
        return 0


def _first(row: Mapping[str, str], names: Sequence[str]) -> str:
    return next((row[name] for name in names if name in row), "")


def _below(place: Path, report: Report) -> list[Path]:
    if not place.is_dir():
        return [place]
    return [file for file in walking.files(place, report) if file.suffix.lower() in tables.SUFFIXES]


def _columns(file: Path, wanted: Wanted) -> list[str]:
    """The columns of a file; those of all rows are looked through for one that is named and comes late."""
    found = tables.columns(file)
    named = {wanted.run, wanted.step, wanted.time, wanted.key, wanted.value, *wanted.params, ""}
    return found if named <= {*found, ""} else tables.columns(file, sample=None)


def _names(files: Mapping[Path, Path]) -> dict[Path, str]:
    """What the run of each file is called, given the place below which it lies: its name without the ending; where
    several have the same, the path below the place, and where that is the same too, the whole path."""
    found: dict[Path, str] = {}
    ways = {file: _ways(file, place) for file, place in files.items()}
    for way in range(_WAYS):
        names = {file: ways[file][way][-RUN_NAME_LENGTH:] for file in files if file not in found}
        counts = Counter([*names.values(), *found.values()])
        found |= {file: name for file, name in names.items() if counts[name] == 1}
    return {file: file.stem for file in files} | found


def _ways(file: Path, place: Path) -> tuple[str, ...]:
    """What a file can be called, the shortest first."""
    below = file.relative_to(place if place != file else place.parent)
    return (file.stem, below.with_suffix("").as_posix(), below.as_posix(), str(file))


def _absolute(place: Path) -> Path:
    """A place by its whole path; a link to a file stays one, so that it lies where it is named."""
    return place.resolve() if place.is_dir() else place.parent.resolve() / place.name


def _number(cell: str) -> float | None:
    text = cell.strip()
    if text in ("true", "True", "false", "False"):
        return float(text.lower() == "true")
    try:
        return float(text.strip('"')) if "_" not in text else None
    except ValueError:
        return None


def _step(cell: str) -> int:
    found = _number(cell)
    if found is None or not math.isfinite(found) or not found.is_integer() or abs(found) > INT64_MAX:
        raise ValueError(f"{cell[:100]!r} is no step")
    return int(cell) if cell.strip().lstrip("-").isdecimal() else int(found)


def _time(cell: str) -> int:
    """Unix ms: of a date as ISO 8601 writes it, or of a number in s, ms, µs or ns, by its size."""
    found = _number(cell)
    if found is None:
        text = json.loads(cell) if cell.startswith('"') else cell
        try:
            moment = datetime.datetime.fromisoformat(_GERMAN.sub(r"\3-\2-\1", text.strip()).replace(" UTC", "+00:00"))
        except ValueError:
            raise ValueError(f"{cell[:100]!r} is no time") from None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        if aware < _FIRST:
            raise ValueError(f"{cell[:100]!r} is no time")
        return round(aware.timestamp() * 1000)
    if not math.isfinite(found) or not 0 <= found < 1e20:
        raise ValueError(f"{cell[:100]!r} is no time")
    for limit, factor in ((1e11, 1000.0), (1e14, 1.0), (1e17, 1e-3)):
        if found < limit:
            return round(found * factor)
    return round(found * 1e-6)
