"""Every error Logbuch raises on purpose. Each knows its MLflow code and its HTTP status.

LogbuchError (also MlflowException)
├── InvalidInput          INVALID_PARAMETER_VALUE   400   a value breaks a rule; the message names the field
│   └── InvalidFilter     INVALID_PARAMETER_VALUE   400   search text that cannot be read; knows the place
├── BadRequest            BAD_REQUEST               400   the request as a whole is unreadable
├── NotFound              RESOURCE_DOES_NOT_EXIST   404
├── AlreadyExists         RESOURCE_ALREADY_EXISTS   400
├── InvalidState          INVALID_STATE             400   (MLflow answers 500; a client's mistake is no 5xx here)
├── FeatureDisabled       FEATURE_DISABLED          400
├── JournalOutOfStep      JOURNAL_OUT_OF_STEP       409   a batch does not go on where its journal stands
│   └── JournalDiverged   JOURNAL_DIVERGED          409   the server knows another journal of this ID
├── NotImplementedHere    NOT_IMPLEMENTED           501   clients fall back on this answer
├── EndpointNotFound      ENDPOINT_NOT_FOUND        404
├── PermissionDenied      PERMISSION_DENIED         403
├── TooLarge              INVALID_PARAMETER_VALUE   413
├── RangeRefused          INVALID_PARAMETER_VALUE   416   bytes of a file that it does not have
├── Unavailable           TEMPORARILY_UNAVAILABLE   503   the store cannot be written or read now
└── StoreRefused          INVALID_STATE             400   a store that this version must not open
"""

from __future__ import annotations

import errno
from typing import Any, ClassVar


class LogbuchError(Exception):
    """The root. Carries MLflow's ``error_code`` and the HTTP status of the answer."""

    error_code: ClassVar[str] = "INTERNAL_ERROR"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def serialize(self) -> dict[str, Any]:
        """The body of the answer: MLflow's ``error_code`` and ``message``, and what an error adds."""
        return {"error_code": self.error_code, "message": self.message}


class InvalidInput(LogbuchError):
    """A value that breaks a rule; the message names the field."""

    error_code = "INVALID_PARAMETER_VALUE"
    http_status = 400


class InvalidFilter(InvalidInput):
    """Search text that cannot be read. ``position`` and ``length`` count characters of that text."""

    def __init__(self, message: str, *, position: int = 0, length: int = 1) -> None:
        super().__init__(message)
        self.position = position
        self.length = length

    def serialize(self) -> dict[str, Any]:
        return super().serialize() | {"position": self.position, "length": self.length}


class BadRequest(LogbuchError):
    error_code = "BAD_REQUEST"
    http_status = 400


class NotFound(LogbuchError):
    error_code = "RESOURCE_DOES_NOT_EXIST"
    http_status = 404


class AlreadyExists(LogbuchError):
    error_code = "RESOURCE_ALREADY_EXISTS"
    http_status = 400


class InvalidState(LogbuchError):
    error_code = "INVALID_STATE"
    http_status = 400


class FeatureDisabled(LogbuchError):
    error_code = "FEATURE_DISABLED"
    http_status = 400


class JournalOutOfStep(LogbuchError):
    """A batch that does not go on where its journal stands: after entry ``sequence``, with this ``chain``."""

    error_code = "JOURNAL_OUT_OF_STEP"
    http_status = 409

    def __init__(self, message: str, *, sequence: int = 0, chain: str = "") -> None:
        super().__init__(message)
        self.sequence = sequence
        self.chain = chain

    def serialize(self) -> dict[str, Any]:
        return super().serialize() | {"sequence": self.sequence, "chain": self.chain}


class JournalDiverged(JournalOutOfStep):
    """A batch of another journal than the one that is known by this ID: a copy that has gone its own way."""

    error_code = "JOURNAL_DIVERGED"


class NotImplementedHere(LogbuchError):
    error_code = "NOT_IMPLEMENTED"
    http_status = 501


class EndpointNotFound(LogbuchError):
    error_code = "ENDPOINT_NOT_FOUND"
    http_status = 404


class PermissionDenied(LogbuchError):
    error_code = "PERMISSION_DENIED"
    http_status = 403


class TooLarge(LogbuchError):
    error_code = "INVALID_PARAMETER_VALUE"
    http_status = 413


class RangeRefused(LogbuchError):
    """Bytes of a file that it does not have, or several ranges at once; ``size`` is that of the file."""

    error_code = "INVALID_PARAMETER_VALUE"
    http_status = 416

    def __init__(self, message: str, *, size: int) -> None:
        super().__init__(message)
        self.size = size


class Unavailable(LogbuchError):
    error_code = "TEMPORARILY_UNAVAILABLE"
    http_status = 503


class StoreRefused(LogbuchError):
    """A database that this version must not open: MLflow's, a newer Logbuch's, one on a network disk.

    ``passing`` says that the disk is to blame, and not the choice of the place: the same may work later.
    """

    error_code = "INVALID_STATE"
    http_status = 400

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


_DISK_ERRORS = ("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO", "EMFILE", "ENFILE", "ENOMEM", "ESTALE")
_DISK_NUMBERS = frozenset(getattr(errno, name) for name in _DISK_ERRORS if hasattr(errno, name))
_SQLITE_CODES = frozenset({5, 6, 7, 8, 10, 13, 14})
"""SQLITE_BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL and CANTOPEN (https://sqlite.org/rescode.html)."""


def of_disk(error: BaseException | None) -> bool:
    """Whether an error says that a disk takes nothing now, or nothing of this user: a full or read-only one, say."""
    if isinstance(error, OSError):
        return error.errno in _DISK_NUMBERS
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE_CODES


BY_CODE: dict[str, type[LogbuchError]] = {
    cls.error_code: cls
    for cls in (
        InvalidInput,
        BadRequest,
        NotFound,
        AlreadyExists,
        InvalidState,
        FeatureDisabled,
        JournalOutOfStep,
        JournalDiverged,
        NotImplementedHere,
        EndpointNotFound,
        PermissionDenied,
        Unavailable,
    )
}
"""From an answer's ``error_code`` to the class that a client raises."""
