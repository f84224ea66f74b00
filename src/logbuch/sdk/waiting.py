"""What a logging call hands back, to wait for what it has queued."""

from __future__ import annotations

from logbuch import settings
from logbuch.sdk.connection import Connection
from logbuch.sdk.shipping.delivery import Files

_SYNCHRONOUS_SECONDS, _SILENT_SECONDS = 10.0, 2.0


class RunOperations:
    """What a logging call hands back: the record is queued, and ``wait`` waits until it has arrived."""

    def __init__(self, connection: Connection, files: Files = Files.NONE) -> None:
        self._connection = connection
        self._files = files

    def wait(self) -> None:
        """Waits until everything logged so far has arrived, at most as long as the setting ``finish_timeout``."""
        self._flush(settings.FINISH_TIMEOUT.number())

    def wait_shortly(self) -> None:
        """Waits as a call does that logs ``synchronous``: five seconds at most, and hardly if nobody answers."""
        longest = _SILENT_SECONDS if self._connection.backend.silent else _SYNCHRONOUS_SECONDS
        self._flush(min(longest, settings.FINISH_TIMEOUT.number()))

    def _flush(self, seconds: float) -> None:
        self._connection.sender.flush(seconds, patient=True, files=self._files)


def done(connection: Connection, synchronous: bool | None, files: Files = Files.NONE) -> RunOperations:
    """What a call hands back; a ``synchronous`` one has waited."""
    operations = RunOperations(connection, files)
    if synchronous:
        operations.wait_shortly()
    return operations
