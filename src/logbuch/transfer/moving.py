"""The move itself: run by run, what the target has not yet, in an order that a kill at any moment cannot spoil.

Nothing is remembered of a move but what it wrote: the next one looks at what is there. So it goes on where the last
one ended, and doing it again changes nothing.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence

import msgspec
import numpy as np

from logbuch.errors import LogbuchError, Unavailable
from logbuch.limits import is_run_id
from logbuch.model import Experiment, Run, RunData, RunInputs, RunModel, RunOutputs
from logbuch.store.census import Census
from logbuch.store.metrics import ordinal
from logbuch.store.metrics.incoming import Incoming
from logbuch.transfer import sieve
from logbuch.transfer.batches import batches
from logbuch.transfer.media import MediaLeft, MediaMove
from logbuch.transfer.models import ModelMove, ModelSource
from logbuch.transfer.report import Report
from logbuch.transfer.source import MediaSource, Source, SourceFile, SourceRun
from logbuch.transfer.target import Known, MediaTarget, Target

RUNS_AT_ONCE = 200
COUNTED_AT_ONCE = 500
Told = Callable[[str, int], None]
"""Told of progress: a noun, and how many more of it were dealt with."""


class Move:
    """One move from a source to a target. ``files=False`` leaves the artifacts out."""

    def __init__(self, source: Source, target: Target, report: Report, told: Told, *, files: bool = True) -> None:
        self._source, self._target, self._report, self._told = source, target, report, told
        self._files = files
        self._wanted: dict[str, Census] = {}
        self._read: Counter[str] = Counter()
        self._totals = source.totals()
        self._models: ModelMove | None = None
        self._media: MediaMove | MediaLeft | None = None
        report.origin = source.name
        if isinstance(source, MediaSource):
            self._media = (
                MediaMove(source, target, report, target.flush)
                if isinstance(target, MediaTarget)
                else MediaLeft(source, report)
            )
        if isinstance(source, ModelSource):
            self._models = ModelMove(source, target, report, told, files=files)

    def run(self) -> Report:
        """Moves everything and returns the report. Raises Unavailable where the target cannot be written any more."""
        for wanted in self._source.experiments():
            self._read["experiments"] += 1
            self._experiment(wanted)
        self._target.flush()
        if self._models is not None:
            self._models.registered(self._chosen)
        self._settle()
        return self._report

    def _experiment(self, wanted: Experiment) -> None:
        try:
            id_ = self._target.experiment(sieve.experiment(wanted, self._report))
        except Unavailable:
            raise
        except LogbuchError as error:
            self._report.lost(f"experiment {wanted.name!r} with its runs", error.message)
            return
        self._report.target["experiments"] += 1
        alone = self._media is not None and self._media.one_by_one
        for batch in batches(self._source.runs(wanted), 1 if alone else RUNS_AT_ONCE):
            known = self._target.known([one.run.info.run_id for one in batch if is_run_id(one.run.info.run_id)])
            for one in batch:
                self._run(id_, one, known.get(one.run.info.run_id))
        if self._models is not None:
            self._models.logged(wanted, id_, self._chosen)
        self._target.close_experiment(id_, wanted)

    @property
    def _chosen(self) -> Container[str] | None:
        """The runs that were moved, where these are not all that the source holds."""
        return self._wanted if self._source.partial else None

    def _run(self, experiment_id: str, found: SourceRun, known: Known | None) -> None:
        info = found.run.info
        self._read["runs"] += 1
        self._told("runs", 1)
        if not is_run_id(info.run_id):
            self._report.lost(f"run {info.run_id!r}", "that is no run ID")
            return
        if known is not None and known.run.info.experiment_id != experiment_id:
            where = known.run.info.experiment_id
            self._report.lost(f"run {info.run_id}", f"a run of this ID is in another experiment there, {where}")
            return
        self._count_data(found.run)
        fitted = found._replace(run=sieve.run(found.run, self._report), experiment_id=experiment_id)
        missing = fitted.run if known is None else self._missing(fitted.run, known.run)
        if known is None or _has_data(missing) or _differs(fitted, known):
            self._target.begin(fitted, missing)
        self._wanted[info.run_id] = self._census(fitted.run, self._points(fitted, known))
        if self._media is not None:
            self._media.run(fitted)
        self._target.end(fitted)
        if self._files:
            for file in self._source.files(fitted):
                self._file(fitted, file)

    # -- data ----------------------------------------------------------------------------------------------------------

    def _count_data(self, run: Run) -> None:
        self._read["params"] += len(run.data.param_list)
        self._read["tags"] += len(run.data.tag_list)
        self._read["datasets"] += len(run.inputs.dataset_inputs)

    def _missing(self, wanted: Run, known: Run) -> Run:
        """What the target lacks of a run. Where both have a text and they differ, the target's stays."""
        run_id = wanted.info.run_id
        self._report.already["runs"] += 1
        params, tags = known.data.params, known.data.tags
        for kind, mine, theirs in (("param", wanted.data.params, params), ("tag", wanted.data.tags, tags)):
            for key, value in mine.items():
                if theirs.get(key, value) != value:
                    self._report.lost(f"{kind} {key!r} of run {run_id}", "it has another value there, which stays")
        datasets = {(used.dataset.name, used.dataset.digest) for used in known.inputs.dataset_inputs}
        data = RunData(
            param_list=tuple(param for param in wanted.data.param_list if param.key not in params),
            tag_list=tuple(tag for tag in wanted.data.tag_list if tag.key not in tags),
        )
        used = tuple(
            one for one in wanted.inputs.dataset_inputs if (one.dataset.name, one.dataset.digest) not in datasets
        )
        inputs = RunInputs(
            dataset_inputs=used, model_inputs=_beyond(wanted.inputs.model_inputs, known.inputs.model_inputs)
        )
        outputs = RunOutputs(model_outputs=_beyond(wanted.outputs.model_outputs, known.outputs.model_outputs))
        return msgspec.structs.replace(wanted, data=data, inputs=inputs, outputs=outputs)

    def _census(self, run: Run, points: int) -> Census:
        return Census(
            params=len(run.data.param_list),
            tags=len(run.data.tag_list),
            datasets=len({(one.dataset.name, one.dataset.digest) for one in run.inputs.dataset_inputs}),
            points=points,
        )

    # -- points --------------------------------------------------------------------------------------------------------

    def _points(self, wanted: SourceRun, known: Known | None) -> int:
        """Moves the points that the target has not yet; how many the run should have there."""
        if known is not None and wanted.points is not None and known.census.points == wanted.points:
            self._read["points"] += wanted.points
            self._report.already["points"] += wanted.points
            self._told("points", wanted.points)
            return wanted.points
        run_id, total = wanted.run.info.run_id, 0
        some = known is not None and known.census.points > 0
        for found in self._source.points(wanted):
            self._read["points"] += len(found)
            self._told("points", len(found))
            fitting = sieve.points(run_id, found, self._report)
            total += len(fitting)
            fresh = self._fresh(run_id, fitting) if some else fitting
            self._report.already["points"] += len(fitting) - len(fresh)
            if len(fresh):
                self._target.points(wanted, fresh)
        return total

    def _fresh(self, run_id: str, found: Incoming) -> Incoming:
        """The points that the target does not have."""
        keep = np.ones(len(found), np.bool_)
        index = np.asarray(found.index)
        for place in np.unique(index).tolist():
            mine = np.flatnonzero(index == place)
            keep[mine] = ~_among(found, mine, self._target.have(run_id, found.names[place]))
        columns = (np.asarray(column)[keep] for column in (found.index, found.steps, found.timestamps, found.values))
        return Incoming(found.names, *columns)

    # -- files ---------------------------------------------------------------------------------------------------------

    def _file(self, wanted: SourceRun, file: SourceFile) -> None:
        self._read["files"] += 1
        self._told("files", 1)
        name = f"artifact {file.path!r} of run {wanted.run.info.run_id}"
        try:
            if self._target.has_file(wanted, file):
                self._report.already["files"] += 1
            else:
                self._target.file(wanted, file, lambda: self._source.open(file))
        except Unavailable:
            raise
        except LogbuchError as error:
            self._report.lost(name, error.message)
        except OSError as error:
            self._report.lost(name, error.strerror or error)
        else:
            self._report.target["files"] += 1

    # -- the account ---------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Counts what the target holds now, and compares it with what was handed over, run by run."""
        self._report.source.update(self._read)
        self._report.compare(self._totals)
        for part in batches(self._wanted, COUNTED_AT_ONCE):
            counted = self._target.count(part)
            for run_id in part:
                self._compare(run_id, self._wanted[run_id], counted.get(run_id))

    def _compare(self, run_id: str, wanted: Census, found: Census | None) -> None:
        if found is None:
            self._report.lost(f"run {run_id}", "it is not there")
            return
        self._report.target["runs"] += 1
        for noun in ("params", "tags", "datasets", "points"):
            here, there = getattr(wanted, noun), getattr(found, noun)
            self._report.target[noun] += min(here, there)
            if there < here:
                self._report.lost(f"{noun} of run {run_id}", f"{there:,} of {here:,} are there")
            elif there > here:
                self._report.note(f"runs that hold more {noun} there than in the source")


def _beyond(wanted: Sequence[RunModel], known: Sequence[RunModel]) -> tuple[RunModel, ...]:
    there = {one.model_id for one in known}
    return tuple(one for one in wanted if one.model_id not in there)


def _has_data(run: Run) -> bool:
    return run.data != RunData() or run.inputs != RunInputs() or run.outputs != RunOutputs()


def _differs(wanted: SourceRun, known: Known) -> bool:
    """Whether the head of a run has moved on in the source."""
    mine, theirs = wanted.run.info, known.run.info
    if theirs.status.terminal and not mine.status.terminal:
        return False
    return (mine.status, mine.end_time, mine.lifecycle_stage) != (
        theirs.status,
        theirs.end_time,
        theirs.lifecycle_stage,
    )


def _among(found: Incoming, mine: np.ndarray, have: Incoming) -> np.ndarray:
    """Which of the points at these places are in ``have``, equal in step, time and value."""
    columns = [
        np.concatenate([np.asarray(getattr(have, name)), np.asarray(getattr(found, name))[mine]])
        for name in ("steps", "timestamps")
    ]
    values = np.concatenate([np.asarray(have.values, np.float64), np.asarray(found.values, np.float64)[mine]])
    columns.append(ordinal.encode_array(values))
    new = np.arange(len(values)) >= len(have)
    order = np.lexsort((new, *reversed(columns)))
    same = np.ones(len(order) - 1, np.bool_)
    for column in columns:
        same &= column[order][1:] == column[order][:-1]
    known = np.zeros(len(order), np.bool_)
    known[order[1:]] = same
    return known[len(have) :]


@contextlib.contextmanager
def closing_both(source: Source, target: Target) -> Iterator[None]:
    """Closes both ends, whatever happens."""
    try:
        yield
    finally:
        source.close()
        target.close()
