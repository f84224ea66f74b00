"""A store in this process as backend: no server, one SQLite file and a folder of artifacts.

The only file of the SDK that knows the store. Several processes may write to the same file: each commits about once a
second, and a commit that finds the file busy is tried again by the sender.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from logbuch.errors import LogbuchError, Unavailable
from logbuch.files import keys
from logbuch.files.disk import LocalFiles, read_chunks
from logbuch.model import (
    DatasetInput,
    Experiment,
    FileInfo,
    Metric,
    Run,
    RunInfo,
    RunStatus,
    Tag,
    ViewType,
)
from logbuch.sdk.backend import Batch
from logbuch.store import batch as batch_store
from logbuch.store import experiments, open_store, runs, search
from logbuch.store.metrics import history
from logbuch.store.metrics.points import Series
from logbuch.store.tx import Tx


class EmbeddedBackend:
    """See :class:`logbuch.sdk.backend.Backend`. ``database`` is the SQLite file, ``artifacts`` the folder of files."""

    gather_seconds = 1.0
    spools = False

    def __init__(self, database: Path, artifacts: Path) -> None:
        self.uri = f"sqlite:///{database}"
        if not database.parent.exists():  # runs may hold what their owner would not show to others on the machine
            database.parent.mkdir(mode=0o700, parents=True)
        # Packing the metric log is left to the server that opens the file: a training has better things to do.
        self._store = open_store(self.uri, seal=False)
        self._files = LocalFiles(artifacts)

    # -- experiments -----------------------------------------------------------------------------------------------

    def create_experiment(self, name: str, artifact_location: str, tags: Sequence[Tag]) -> str:
        location = self._files.location(artifact_location)
        return self._store.write(experiments.create, name, location, tags)

    def get_experiment(self, experiment_id: str) -> Experiment:
        return self._store.read(experiments.get, experiment_id)

    def get_experiment_by_name(self, name: str) -> Experiment:
        return self._store.read(experiments.get_by_name, name)

    def search_experiments(
        self, view: ViewType, max_results: int, filter_text: str, order_by: Sequence[str], token: str
    ) -> tuple[list[Experiment], str | None]:
        return self._store.read(search.experiments, filter_text, order_by, max_results, token, view)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        self._store.write(experiments.rename, experiment_id, name)

    def delete_experiment(self, experiment_id: str) -> None:
        self._store.write(experiments.delete_experiment, experiment_id)

    def restore_experiment(self, experiment_id: str) -> None:
        self._store.write(experiments.restore, experiment_id)

    def set_experiment_tag(self, experiment_id: str, tag: Tag) -> None:
        self._store.write(experiments.set_tag, experiment_id, tag)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        self._store.write(experiments.delete_tag, experiment_id, key)

    # -- runs --------------------------------------------------------------------------------------------------------

    def create_run(self, experiment_id: str, name: str, user: str, start_time: int, tags: Sequence[Tag]) -> Run:
        new = runs.NewRun(
            experiment_id=experiment_id, run_name=name, user_id=user, start_time=start_time, tags=tuple(tags)
        )
        return self._store.write(runs.create, new)

    def get_run(self, run_id: str) -> Run:
        return self._store.read(runs.get, run_id)

    def update_run(
        self, run_id: str, status: RunStatus | None = None, end_time: int | None = None, name: str = ""
    ) -> RunInfo:
        return self._store.write(runs.update_run, run_id, status, end_time, name)

    def delete_run(self, run_id: str) -> None:
        self._store.write(runs.delete, run_id)

    def restore_run(self, run_id: str) -> None:
        self._store.write(runs.restore, run_id)

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_text: str,
        view: ViewType,
        max_results: int,
        order_by: Sequence[str],
        token: str,
    ) -> tuple[list[Run], str | None]:
        return self._store.read(search.runs, experiment_ids, filter_text, order_by, max_results, token, view)

    def metric_history(
        self, run_id: str, key: str, max_results: int | None, token: str
    ) -> tuple[list[Metric], str | None]:
        return history.page(key, self._store.read(history.packed, run_id, key), max_results, token)

    def sampled_history(
        self, run_ids: Sequence[str], key: str, max_results: int, steps: tuple[int, int] | None
    ) -> Mapping[str, list[Metric]]:
        return {run_id: self._sample(run_id, key, max_results, steps) for run_id in run_ids}

    def _sample(self, run_id: str, key: str, max_results: int, steps: tuple[int, int] | None) -> list[Metric]:
        found = self._store.read(history.packed, run_id, key)
        if found is None:
            return []
        points = found[1].decode().get(found[0], Series.empty())
        start, end = steps if steps is not None else (None, None)
        return history.metrics(key, history.sample(points, start, end, max_results))

    # -- what a training logs ----------------------------------------------------------------------------------------

    def log_batches(self, batches: Sequence[Batch]) -> list[LogbuchError | None]:
        try:
            self._store.write(_log_all, batches)
            return [None] * len(batches)
        except Unavailable:
            raise
        except LogbuchError as error:
            return [error] if len(batches) == 1 else [self._verdict(batch) for batch in batches]

    def _verdict(self, batch: Batch) -> LogbuchError | None:
        try:
            self._store.write(_log_all, [batch])
        except LogbuchError as error:
            return error
        return None

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        self._store.write(batch_store.log_inputs, run_id, datasets)

    def delete_tag(self, run_id: str, key: str) -> None:
        self._store.write(runs.delete_tag, run_id, key)

    # -- files -------------------------------------------------------------------------------------------------------

    def list_artifacts(self, run: RunInfo, path: str) -> list[FileInfo]:
        shown = "/".join(keys.segments(path)) if path else ""
        return self._files.list(self._key(run, shown), shown)

    def upload(self, run: RunInfo, path: str, file: Path) -> None:
        self._files.put(self._key(run, path), read_chunks(file.open("rb")))

    def download(self, run: RunInfo, path: str) -> Iterator[bytes]:
        return read_chunks(self._files.open(self._key(run, path)))

    def artifact_uri(self, run: RunInfo, path: str) -> str:
        """The file itself, for without a server ``mlflow-artifacts:`` leads nowhere."""
        return (self._files.root / self._key(run, path)).as_uri()

    def run_url(self, run: RunInfo) -> str | None:  # noqa: ARG002
        return None

    def close(self) -> None:
        self._store.close()

    def _key(self, run: RunInfo, path: str) -> str:
        return keys.run_key(self._store.read(experiments.location, run.experiment_id), run.run_id, path)


def _log_all(tx: Tx, batches: Sequence[Batch]) -> None:
    for part in batches:
        batch_store.log_batch(tx, part.run_id, part.metrics, part.params, part.tags)
