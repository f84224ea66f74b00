"""What the SDK wants of the place where runs go: one Protocol, spoken by http.py and embedded.py."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from logbuch.errors import LogbuchError
from logbuch.model import (
    DatasetInput,
    Experiment,
    FileInfo,
    Metric,
    Param,
    Run,
    RunInfo,
    RunModel,
    RunStatus,
    Tag,
    ViewType,
)

logger = logging.getLogger("logbuch")


@dataclass(slots=True)
class Batch:
    """Records of one run that travel together, within the limits of one log-batch call."""

    run_id: str
    metrics: list[Metric] = field(default_factory=list)
    params: list[Param] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)


class Refused(msgspec.Struct):
    """An entry of a journal that the store set aside, by its number there."""

    sequence: int
    run_id: str | None
    error_code: str
    message: str


class Standing(msgspec.Struct):
    """Up to which entry a store has dealt with a journal, the chain there (hexadecimal), and refusals."""

    sequence: int
    chain: str
    refused: list[Refused] = []


class Backend(Protocol):
    """A server, or a store in this process. Every method raises :class:`LogbuchError`, and nothing else.

    ``Unavailable`` means: not now, the same call may work later. It comes within five seconds where nobody answers.
    """

    uri: str
    gather_seconds: float
    """How long the sender collects records before it sends them; while records keep coming, twice as long at most."""
    spools: bool
    """Whether files must be copied aside before they are sent."""
    keeps_acknowledged: bool
    """Whether what was acknowledged is kept for some days: a server may come back without it."""
    aliases: dict[str, str]
    """Which ID the server has given to a run that was made without it."""
    barred: str | None
    """Why this process can never send anything there; None if it can."""

    @property
    def silent(self) -> bool:
        """Whether nobody answered a moment ago: calls that somebody waits for give up soon."""

    def create_experiment(self, name: str, artifact_location: str, tags: Sequence[Tag]) -> str: ...
    def get_experiment(self, experiment_id: str) -> Experiment: ...
    def get_experiment_by_name(self, name: str) -> Experiment: ...
    def search_experiments(
        self, view: ViewType, max_results: int, filter_text: str, order_by: Sequence[str], token: str
    ) -> tuple[list[Experiment], str | None]: ...
    def rename_experiment(self, experiment_id: str, name: str) -> None: ...
    def delete_experiment(self, experiment_id: str) -> None: ...
    def restore_experiment(self, experiment_id: str) -> None: ...
    def set_experiment_tag(self, experiment_id: str, tag: Tag) -> None: ...
    def delete_experiment_tag(self, experiment_id: str, key: str) -> None: ...

    def create_run(self, experiment_id: str, name: str, user: str, start_time: int, tags: Sequence[Tag]) -> Run: ...
    def get_run(self, run_id: str) -> Run: ...
    def update_run(
        self, run_id: str, status: RunStatus | None = None, end_time: int | None = None, name: str = ""
    ) -> RunInfo: ...
    def delete_run(self, run_id: str) -> None: ...
    def restore_run(self, run_id: str) -> None: ...
    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_text: str,
        view: ViewType,
        max_results: int,
        order_by: Sequence[str],
        token: str,
    ) -> tuple[list[Run], str | None]: ...
    def metric_history(
        self, run_id: str, key: str, max_results: int | None, token: str
    ) -> tuple[list[Metric], str | None]: ...
    def sampled_history(
        self, run_ids: Sequence[str], key: str, max_results: int, steps: tuple[int, int] | None
    ) -> Mapping[str, list[Metric]]:
        """Per run at most ``max_results`` points between two steps, evenly spread over the steps."""

    def log_batches(self, batches: Sequence[Batch]) -> list[LogbuchError | None]:
        """Sends batches; each has its own verdict: None, or why the batch as a whole was refused.

        Raises ``Unavailable`` only if no batch was taken; the whole call may then be repeated, for a repeated
        batch changes nothing.
        """

    def greet(self, journals: Sequence[tuple[str, int]]) -> tuple[str, list[Standing]]:
        """The store's id, and where it stands with journals; each with its refusals after the entry that is given,
        the last whose verdict is known. ``EndpointNotFound`` from a server that knows no journals."""

    def ingest(self, journal: str, first: int, before: bytes, entries: Sequence[tuple[int, bytes, bytes]]) -> Standing:
        """Sends entries of a journal, (span, chain, record) each, from number ``first`` on; ``before`` is the chain
        before them. ``JournalOutOfStep`` where the store stands elsewhere."""

    def beat(self, journal: str) -> float:
        """A sign of life of the process that writes a journal; after how many seconds the next one is due.
        ``EndpointNotFound`` where nobody wants it."""

    def gone(self, journal: str, time: int) -> int:
        """Ends the runs that a journal's process held, which is gone since a time (ms); how many."""

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None: ...
    def delete_tag(self, run_id: str, key: str) -> None: ...

    def ask(self, method: str, address: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A call of MLflow's protocol about registered or logged models, or of Logbuch's own about their history."""

    def log_outputs(self, run_id: str, models: Sequence[RunModel]) -> None: ...

    def list_location(self, location: str, path: str) -> list[FileInfo]:
        """What lies below ``mlflow-artifacts:/…``; the paths are relative to that."""

    def download_location(self, location: str, path: str) -> Iterator[bytes]: ...
    def upload_location(self, location: str, path: str, file: Path) -> None: ...
    def list_artifacts(self, run: RunInfo, path: str) -> list[FileInfo]: ...
    def upload(self, run: RunInfo, path: str, file: Path) -> None: ...
    def download(self, run: RunInfo, path: str) -> Iterator[bytes]:
        """A file's content in chunks; ``NotFound`` if there is none, before the first chunk."""

    def artifact_uri(self, run: RunInfo, path: str) -> str: ...
    def run_url(self, run: RunInfo) -> str | None:
        """The address of a run's page; None where no server shows it."""

    def way_to_see(self) -> str | None:
        """Where runs are kept and what to type to see them; None where a server shows them."""

    def rest(self, seconds: float) -> bool:
        """Leaves what it keeps in order and closed, for the process ends or pauses; it may be used again. False if
        that takes longer than so many seconds."""

    def close(self) -> None: ...


def own_error(error: Exception) -> LogbuchError:
    """Any error of a backend as one of ours; what nobody foresaw counts as internal."""
    if isinstance(error, LogbuchError):
        return error
    logger.debug("unexpected error", exc_info=error)
    return LogbuchError(f"{type(error).__name__}: {error}")
