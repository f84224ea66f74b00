"""What is sent about a run's files: each a small struct that knows how to do itself."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from logbuch.errors import InvalidInput, LogbuchError, NotFound, Unavailable
from logbuch.model import RunInfo
from logbuch.sdk.backends.backend import Backend


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


class Note(msgspec.Struct):
    """What is to be done with a copy, kept beside it: a later process can do it too."""

    run_id: str
    path: str
    action: str = "upload"


def note_of(copy: Path) -> Path:
    return copy.with_suffix(".json")


def write_note(copy: Path, note: Note) -> None:
    with contextlib.suppress(OSError):
        note_of(copy).write_bytes(msgspec.json.encode(note))


def discard(copy: Path) -> None:
    """Takes a copy and its note away."""
    for path in (note_of(copy), copy):
        with contextlib.suppress(OSError):
            path.unlink()


def arrived(backend: Backend, run: RunInfo) -> RunInfo:
    """A run as its server knows it; Unavailable as long as it has not got there."""
    if run.artifact_uri:
        return run
    try:
        return backend.get_run(run.run_id).info
    except NotFound as error:
        raise Unavailable(f"The run has not arrived yet: {error}") from None


@dataclass(frozen=True, slots=True)
class Upload:
    """Sends a file that was copied aside; the copy goes when the call is settled."""

    run: RunInfo
    path: str
    copy: Path

    def perform(self, backend: Backend) -> None:
        run = arrived(backend, self.run)
        try:
            backend.upload(run, self.path, self.copy)
        except LogbuchError:
            raise
        except OSError as error:
            raise InvalidInput(f"The copy of {self.path!r} cannot be read: {error.strerror}") from None

    def describe(self) -> str:
        return f"the artifact {self.path!r}"

    def weight(self) -> int:
        return 1000

    def settled(self) -> None:
        discard(self.copy)
