"""A store in this process as backend: no server, one SQLite file and a folder of artifacts.

The only file of the SDK that knows the store. Several processes may write to the same file: each commits about once a
second, and a commit that finds the file busy is tried again by the sender.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import msgspec

from logbuch import limits, settings
from logbuch.errors import EndpointNotFound, LogbuchError, StoreRefused, Unavailable, of_disk
from logbuch.files import keys
from logbuch.files.disk import LocalFiles, read_chunks
from logbuch.files.roots import Files
from logbuch.model import (
    DatasetInput,
    Experiment,
    FileInfo,
    Metric,
    Run,
    RunInfo,
    RunModel,
    RunStatus,
    Tag,
    ViewType,
)
from logbuch.operations import table as operations
from logbuch.registry import Caller
from logbuch.sdk.backends import forking, place
from logbuch.sdk.backends.backend import Batch, Refused, Standing
from logbuch.sdk.backends.gate import Gate
from logbuch.sdk.backends.limited import GivenUp, Limited, Step
from logbuch.sdk.recording import capture
from logbuch.store import Store, experiments, heartbeats, open_store, runs, search
from logbuch.store import batch as batch_store
from logbuch.store import journals as journal_store
from logbuch.store.metrics import history, series
from logbuch.store.tx import Tx
from logbuch.wire import decode, ingest, intake

P = ParamSpec("P")
R = TypeVar("R")
LOCK_SECONDS = 8.0
"""How long a call waits for a file that another process has locked."""


class _Opened(NamedTuple):
    store: Store
    files: LocalFiles


class EmbeddedBackend:
    """See :class:`logbuch.sdk.backends.backend.Backend`. ``database`` is a SQLite file, ``artifacts`` a folder."""

    gather_seconds = 0.5
    spools = False
    keeps_acknowledged = False
    silent = False
    barred: str | None = None
    """Why nothing can be kept in this process, whatever comes."""

    def __init__(self, database: Path, artifacts: Path) -> None:
        self.uri = f"sqlite:///{database}"
        self.database, self.artifacts = database, artifacts.absolute()
        self.aliases: dict[str, str] = {}
        self.gate = Gate()
        self._opened: _Opened | None = None
        self._opening = threading.Lock()
        if forking.forbidden(database):
            self.barred = f"{database} was in use when this process was forked, and cannot be opened in it"
            return
        with contextlib.suppress(Unavailable):  # a disk that takes nothing now ends no training: each call tries again
            self._make_ready()

    def _make_ready(self) -> None:
        """Opens the store, unless it is open. Unavailable if a disk or another process is in the way, StoreRefused if
        the place was not well chosen."""
        with self._opening:
            if self._opened is None:
                try:
                    Limited(self._open).result(LOCK_SECONDS, _locked(self.uri))
                except StoreRefused as error:
                    if not error.passing:
                        raise
                    raise Unavailable(error.message) from None

    def _open(self, begin: Step) -> None:
        """What is opened only when nobody waits for it any more is closed again."""
        with forking.opening(self.database):
            _make_private(self.database.parent)
            # Packing the metric log is left to the server that opens the file: a training has better things to do.
            files = LocalFiles(self.artifacts)
            opened = _Opened(open_store(self.uri, seal=False), files)
            try:
                begin()
            except GivenUp:
                opened.store.close()
                raise
            self._opened = opened
            forking.hold(self)

    # -- experiments -----------------------------------------------------------------------------------------------

    def create_experiment(self, name: str, artifact_location: str, tags: Sequence[Tag]) -> str:
        location = Files([self._files]).location(artifact_location)
        return self._write(experiments.create, name, location, tags)

    def get_experiment(self, experiment_id: str) -> Experiment:
        return self._read(experiments.get, experiment_id)

    def get_experiment_by_name(self, name: str) -> Experiment:
        return self._read(experiments.get_by_name, name)

    def search_experiments(
        self, view: ViewType, max_results: int, filter_text: str, order_by: Sequence[str], token: str
    ) -> tuple[list[Experiment], str | None]:
        return self._read(search.experiments, filter_text, order_by, max_results, token, view)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        self._write(experiments.rename, experiment_id, name)

    def delete_experiment(self, experiment_id: str) -> None:
        self._write(experiments.delete_experiment, experiment_id)

    def restore_experiment(self, experiment_id: str) -> None:
        self._write(experiments.restore, experiment_id)

    def set_experiment_tag(self, experiment_id: str, tag: Tag) -> None:
        self._write(experiments.set_tag, experiment_id, tag)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        self._write(experiments.delete_tag, experiment_id, key)

    # -- runs --------------------------------------------------------------------------------------------------------

    def create_run(self, experiment_id: str, name: str, user: str, start_time: int, tags: Sequence[Tag]) -> Run:
        new = runs.NewRun(
            experiment_id=experiment_id, run_name=name, user_id=user, start_time=start_time, tags=tuple(tags)
        )
        return self._write(runs.create, new)

    def get_run(self, run_id: str) -> Run:
        return self._read(runs.get, run_id)

    def update_run(
        self, run_id: str, status: RunStatus | None = None, end_time: int | None = None, name: str = ""
    ) -> RunInfo:
        return self._write(runs.update_run, run_id, status, end_time, name)

    def delete_run(self, run_id: str) -> None:
        self._write(runs.delete, run_id)

    def restore_run(self, run_id: str) -> None:
        self._write(runs.restore, run_id)

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_text: str,
        view: ViewType,
        max_results: int,
        order_by: Sequence[str],
        token: str,
    ) -> tuple[list[Run], str | None]:
        return self._read(search.runs, experiment_ids, filter_text, order_by, max_results, token, view)

    def metric_history(
        self, run_id: str, key: str, max_results: int | None, token: str
    ) -> tuple[list[Metric], str | None]:
        points, following = self._read(history.page, run_id, key, max_results, token)
        return history.metrics(key, points), following

    def sampled_history(
        self, run_ids: Sequence[str], key: str, max_results: int, steps: tuple[int, int] | None
    ) -> Mapping[str, list[Metric]]:
        return {run_id: self._sample(run_id, key, max_results, steps) for run_id in run_ids}

    def _sample(self, run_id: str, key: str, max_results: int, steps: tuple[int, int] | None) -> list[Metric]:
        start, end = steps if steps is not None else (None, None)
        points = self._read(series.between, run_id, key, start, end)
        return history.metrics(key, history.sample(points, max_results))

    # -- what a training logs ----------------------------------------------------------------------------------------

    def log_batches(self, batches: Sequence[Batch]) -> list[LogbuchError | None]:
        try:
            self._commit(_log_all, batches)
            return [None] * len(batches)
        except Unavailable:
            raise
        except LogbuchError as error:
            return [error] if len(batches) == 1 else [self._verdict(batch) for batch in batches]

    def _verdict(self, batch: Batch) -> LogbuchError | None:
        try:
            self._commit(_log_all, [batch])
        except LogbuchError as error:
            return error
        return None

    def greet(self, journals: Sequence[tuple[str, int]]) -> tuple[str, list[Standing]]:
        found = [self._read(_standing_now, journal, acknowledged) for journal, acknowledged in journals]
        return self._store.id, found

    def ingest(self, journal: str, first: int, before: bytes, entries: Sequence[tuple[int, bytes, bytes]]) -> Standing:
        receipt = self._commit(
            journal_store.ingest, intake.decode(ingest.encode_batch(journal, first, before, entries))
        )
        return _standing(receipt, receipt.refused)

    def beat(self, journal: str) -> float:
        self._commit(heartbeats.beat, {journal: time.time_ns() // 1_000_000})
        return settings.HEARTBEAT_SECONDS.number()

    def gone(self, journal: str, time: int) -> int:
        return self._commit(heartbeats.gone, journal, time)

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        self._write(batch_store.log_inputs, run_id, datasets)

    def delete_tag(self, run_id: str, key: str) -> None:
        self._write(runs.delete_tag, run_id, key)

    # -- models ------------------------------------------------------------------------------------------------------

    def ask(self, method: str, address: str, body: Mapping[str, Any]) -> dict[str, Any]:
        found = operations.find(method, address)
        if found is None:
            raise EndpointNotFound(f"There is no operation {method} {address}.")
        operation, parts = found
        request = decode.from_mapping(operation.request, body)
        call = self._write if operation.writes else self._read
        answer: dict[str, Any] = msgspec.to_builtins(call(operation.run, request, Caller(user=capture.user()), **parts))
        return answer

    def log_outputs(self, run_id: str, models: Sequence[RunModel]) -> None:
        self._write(batch_store.log_outputs, run_id, models)

    # -- files -------------------------------------------------------------------------------------------------------

    def list_location(self, location: str, path: str) -> list[FileInfo]:
        shown = "/".join(keys.segments(path)) if path else ""
        return self._files.list(self._place(location, shown), shown)

    def download_location(self, location: str, path: str) -> Iterator[bytes]:
        return read_chunks(self._files.open(self._place(location, path)))

    def _place(self, location: str, path: str) -> str:
        experiment_id, *rest = keys.segments(location.partition(":/")[2])
        return keys.join(self._read(experiments.location, experiment_id), *rest, path)

    def list_artifacts(self, run: RunInfo, path: str) -> list[FileInfo]:
        shown = "/".join(keys.segments(path)) if path else ""
        return self._files.list(self._key(run, shown), shown)

    def upload_location(self, location: str, path: str, file: Path) -> None:
        self._files.put(self._place(location, path), read_chunks(file.open("rb")))

    def upload(self, run: RunInfo, path: str, file: Path) -> None:
        self._files.put(self._key(run, path), read_chunks(file.open("rb")))

    def download(self, run: RunInfo, path: str) -> Iterator[bytes]:
        return read_chunks(self._files.open(self._key(run, path)))

    def artifact_uri(self, run: RunInfo, path: str) -> str:
        """The file itself, for without a server ``mlflow-artifacts:`` leads nowhere."""
        return (self.artifacts / self._key(run, path)).as_uri()

    def run_url(self, run: RunInfo) -> str | None:  # noqa: ARG002
        return None

    def way_to_see(self) -> str | None:
        return place.way_to_see(place.Embedded(self.database, self.artifacts))

    @property
    def _store(self) -> Store:
        return self._ready().store

    @property
    def _files(self) -> LocalFiles:
        return self._ready().files

    def _ready(self) -> _Opened:
        if self.barred:
            raise Unavailable(self.barred)
        if self._opened is None:
            self._make_ready()
        assert self._opened is not None
        return self._opened

    def rest(self, seconds: float = forking.FORK_SECONDS) -> bool:
        """Closes the file, which is whole then, without its write-ahead log; the next call opens it again. False,
        and nothing happens, if a call is under way that does not end in time."""
        if self.barred or self._opened is None:
            return True
        alone = self.gate.shut(seconds)
        try:
            if alone:
                self.release()
        finally:
            self.gate.open()
        return alone

    def release(self) -> None:
        if self._opened is not None:
            self._opened.store.rest()

    def close(self) -> None:
        if not self.barred and self._opened is not None:
            self._opened.store.close()
            forking.forget(self)

    # -- calls to the store ------------------------------------------------------------------------------------------

    def _read(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        store = self._store
        with self.gate:
            return store.read(function, *args, **kwargs)

    def _commit(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """A write of the sender, which may wait as long as SQLite does."""
        store = self._store
        with self.gate:
            return store.write(function, *args, **kwargs)

    def _write(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """A write that somebody waits for, who is told soon if the file is locked."""
        store = self._store

        def work(begin: Step) -> R:
            def begun(tx: Tx) -> R:
                begin()
                return function(tx, *args, **kwargs)

            with self.gate:
                return store.write(begun)

        return Limited(work).result(LOCK_SECONDS, _locked(self.uri))

    def _key(self, run: RunInfo, path: str) -> str:
        return keys.run_key(self._read(experiments.location, run.experiment_id), run.run_id, path)


def _make_private(folder: Path) -> None:
    """Runs may hold what their owner would not show to others on the machine."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # several processes may begin at once
    except OSError as error:
        message = f"The folder {folder} cannot be made: {error.strerror}."
        raise StoreRefused(message, passing=of_disk(error)) from None


def _log_all(tx: Tx, batches: Sequence[Batch]) -> None:
    for part in batches:
        batch_store.log_batch(tx, part.run_id, part.metrics, part.params, part.tags)


def _standing_now(tx: Tx, journal: str, acknowledged: int) -> Standing:
    refused = journal_store.refusals_after(tx, journal, acknowledged, limits.REFUSALS_PER_PAGE)
    return _standing(journal_store.position(tx, journal), refused)


def _standing(position: journal_store.Position, refused: Sequence[journal_store.Refusal]) -> Standing:
    rows = [Refused(one.sequence, one.run_id, one.error_code, one.message) for one in refused]
    return Standing(position.sequence, position.chain, rows)


def _locked(uri: str) -> str:
    return f"The database {uri} is locked by another process, and was for {LOCK_SECONDS:.0f} seconds."
