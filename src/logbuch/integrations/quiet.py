"""Calls of the tracker from within another library: what goes wrong is said once, and never raised."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

logger = logging.getLogger("logbuch")
_SAID_AT_MOST = 1000
_said: set[tuple[str, str]] = set()


@contextlib.contextmanager
def quietly(what: str) -> Iterator[None]:
    """Turns an exception into a warning, one for each kind of it. ``what`` completes "… could not be logged"."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (whatever it is, the training goes on)
        warn(f"{what} could not be logged", f"{type(error).__name__}: {error}")


def warn(what: str, why: str) -> None:
    """Says something once a process."""
    if (what, why) not in _said and len(_said) < _SAID_AT_MOST:
        _said.add((what, why))
        logger.warning("%s: %s", what, why)
