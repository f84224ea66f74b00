"""What is sent about a run besides metrics, params and tags: each a small struct that knows how to do itself."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from logbuch.errors import InvalidInput
from logbuch.model import DatasetInput, RunInfo, RunStatus
from logbuch.sdk.backend import Backend


class Call(Protocol):
    """One call to a backend that may be repeated."""

    def perform(self, backend: Backend) -> None: ...
    def describe(self) -> str:
        """What the call is about, for a message."""

    def weight(self) -> int:
        """An estimate of the memory that it takes, in bytes; 0 for what must never be dropped."""

    def settled(self) -> None:
        """Told once, when the call is done or given up."""


class FileCall(Call, Protocol):
    """A call about a file of the run, at ``path``."""

    @property
    def path(self) -> str: ...


@dataclass(frozen=True, slots=True)
class End:
    """Sets the final status of a run."""

    run_id: str
    status: RunStatus
    end_time: int

    def perform(self, backend: Backend) -> None:
        backend.update_run(self.run_id, self.status, self.end_time)

    def describe(self) -> str:
        return f"the status {self.status}"

    def weight(self) -> int:
        return 0

    def settled(self) -> None:
        """Nothing is left behind."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Notes the data sets that a run used."""

    run_id: str
    datasets: tuple[DatasetInput, ...]

    def perform(self, backend: Backend) -> None:
        backend.log_inputs(self.run_id, self.datasets)

    def describe(self) -> str:
        return "the data sets " + ", ".join(repr(used.dataset.name) for used in self.datasets)

    def weight(self) -> int:
        sets = [used.dataset for used in self.datasets]
        return 1000 + sum(len(one.source) + len(one.schema or "") + len(one.profile or "") for one in sets)

    def settled(self) -> None:
        """Nothing is left behind."""


@dataclass(frozen=True, slots=True)
class DeleteTag:
    """Takes a tag away."""

    run_id: str
    key: str

    def perform(self, backend: Backend) -> None:
        backend.delete_tag(self.run_id, self.key)

    def describe(self) -> str:
        return f"the deletion of tag {self.key!r}"

    def weight(self) -> int:
        return 500

    def settled(self) -> None:
        """Nothing is left behind."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Sends a file that was copied aside; the copy goes when the call is settled."""

    run: RunInfo
    path: str
    copy: Path

    def perform(self, backend: Backend) -> None:
        try:
            backend.upload(self.run, self.path, self.copy)
        except OSError as error:
            raise InvalidInput(f"The copy of {self.path!r} cannot be read: {error.strerror}") from None

    def describe(self) -> str:
        return f"the artifact {self.path!r}"

    def weight(self) -> int:
        return 1000

    def settled(self) -> None:
        with contextlib.suppress(OSError):
            self.copy.unlink()
