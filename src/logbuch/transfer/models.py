"""Moving models: logged ones with their files, and registered ones with versions, numbers, stages and aliases.

A version's source is an address of the place that it comes from. Where that lies below a run's or a logged model's
artifacts, it becomes ``runs:/…`` or ``models:/…``, which hold wherever those have gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import BinaryIO, Protocol, runtime_checkable
from urllib.parse import unquote, urlsplit

import msgspec

from logbuch.errors import LogbuchError, Unavailable
from logbuch.logged import LoggedModel, MovedModel
from logbuch.model import Experiment
from logbuch.registry import AuditEntry, ModelVersion, MovedRegistration, Refusal
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile

LOGGED, REGISTERED, VERSIONS = "logged models", "models", "versions"
_RUN_ID = "[0-9a-f]{32}"
_OF_MODEL = re.compile(r"/models/(?P<id>m-[0-9a-f]{32})/artifacts(?:/(?P<path>.*))?$")
REWRITTEN = "versions whose source is called by its run or logged model now"


@runtime_checkable
class ModelSource(Protocol):
    """A source that has models; see :class:`logbuch.transfer.source.Source`."""

    def logged_models(self, experiment: Experiment) -> Iterable[MovedModel]: ...
    def model_files(self, model: LoggedModel) -> Iterator[SourceFile]: ...
    def open(self, file: SourceFile) -> BinaryIO: ...
    def registered_models(self) -> Iterable[MovedRegistration]: ...


class ModelTarget(Protocol):
    """A target that takes models. Both calls return what they left out; the same again changes nothing."""

    def logged_model(self, experiment_id: str, wanted: MovedModel) -> list[Refusal]: ...
    def has_model_file(self, experiment_id: str, model: LoggedModel, file: SourceFile) -> bool: ...
    def model_file(
        self, experiment_id: str, model: LoggedModel, file: SourceFile, open_: Callable[[], BinaryIO]
    ) -> None: ...
    def registered_model(self, wanted: MovedRegistration) -> list[Refusal]: ...


class ModelMove:
    """The models of one move. ``files=False`` leaves their files out."""

    def __init__(
        self, source: ModelSource, target: ModelTarget, report: Report, told: Callable[[str, int], None], *, files: bool
    ) -> None:
        self._source, self._target, self._report, self._told = source, target, report, told
        self._files = files
        self.moved: set[str] = set()
        """The IDs of logged models that were handed over."""

    def logged(self, experiment: Experiment, experiment_id: str, runs: Container[str] | None) -> None:
        """The logged models of an experiment, after its runs; with ``runs`` those alone that these have made."""
        for found in self._source.logged_models(experiment):
            model = found.model
            if runs is not None and model.source_run_id not in runs:
                continue
            if runs is not None:
                points = tuple(point for point in model.metric_points if point.run_id in runs)
                model = msgspec.structs.replace(model, metric_points=points)
                found = msgspec.structs.replace(found, model=model)
            self._report.source[LOGGED] += 1
            taken = self._take(f"logged model {model.model_id}", self._target.logged_model, experiment_id, found)
            if not taken:
                continue
            self._report.target[LOGGED] += 1
            self.moved.add(model.model_id)
            for file in self._source.model_files(model) if self._files else ():
                self._file(experiment_id, model, file)

    def registered(self, runs: Container[str] | None) -> None:
        """The registered models, after everything else; with ``runs`` the versions that come from these."""
        for found in self._source.registered_models():
            mine = [one for one in found.versions if runs is None or one.run_id in runs or one.model_id in self.moved]
            if runs is not None and not mine:
                continue
            self._report.source[REGISTERED] += 1
            self._report.source[VERSIONS] += len(mine)
            versions = tuple(self._called(one) for one in mine)
            wanted = msgspec.structs.replace(found, versions=versions, history=_of(found.history, mine, runs))
            before = len(self._report.missing)
            if self._take(f"model {found.model.name!r}", self._target.registered_model, wanted):
                refused = sum(text.startswith("version ") for text in self._report.missing[before:])
                self._report.target[REGISTERED] += 1
                self._report.target[VERSIONS] += len(mine) - refused

    def _called(self, version: ModelVersion) -> ModelVersion:
        source = source_of(version)
        self._report.note(REWRITTEN, source != version.source)
        return msgspec.structs.replace(version, source=source)

    def _take(self, what: str, call: Callable[..., list[Refusal]], *arguments: object) -> bool:
        try:
            for refusal in call(*arguments):
                self._report.lost(refusal.what, refusal.why)
        except Unavailable:
            raise
        except LogbuchError as error:
            self._report.lost(what, error.message)
            return False
        return True

    def _file(self, experiment_id: str, model: LoggedModel, file: SourceFile) -> None:
        self._report.source["files"] += 1
        self._told("files", 1)
        try:
            if self._target.has_model_file(experiment_id, model, file):
                self._report.already["files"] += 1
            else:
                self._target.model_file(experiment_id, model, file, lambda: self._source.open(file))
        except Unavailable:
            raise
        except (LogbuchError, OSError) as error:
            why = error.message if isinstance(error, LogbuchError) else error.strerror or error
            self._report.lost(f"file {file.path!r} of logged model {model.model_id}", why)
        else:
            self._report.target["files"] += 1


def _of(
    history: Sequence[AuditEntry], versions: Iterable[ModelVersion], runs: Container[str] | None
) -> tuple[AuditEntry, ...]:
    """The audit trail of what is moved: of a part of the versions, without the entries of the others."""
    numbers = {one.version for one in versions}
    return tuple(one for one in history if runs is None or one.version is None or one.version in numbers)


def source_of(version: ModelVersion) -> str:
    """What a version's source is called where it goes to."""
    if version.source.startswith(("runs:/", "models:/m-")):
        return version.source
    of_run = re.compile(rf"/(?P<id>{re.escape(version.run_id) or _RUN_ID})/artifacts(?:/(?P<path>.*))?$")
    for place in (version.source, version.location):
        parts = urlsplit(place)
        path = unquote(parts.path) if parts.scheme in ("file", "mlflow-artifacts") else parts.path
        for scheme, pattern in (("models", _OF_MODEL), ("runs", of_run)):
            match = pattern.search(path)
            if match:
                return f"{scheme}:/{match['id']}" + (f"/{match['path'].strip('/')}" if match["path"] else "")
    return version.source
