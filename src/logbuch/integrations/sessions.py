"""Trainings within trainings: a grid search fits hundreds of models, and only the outermost call is a run."""

from __future__ import annotations

import contextlib
import multiprocessing.dummy
import threading
from collections.abc import Iterator

_inside: set[int] = set()
"""Identifiers of the threads that are within a logged training."""


def inside() -> bool:
    """Whether this thread, or one that has made it as a worker of a pool, is within a logged training."""
    thread: threading.Thread | None = threading.current_thread()
    while thread is not None:
        if thread.ident in _inside:
            return True
        thread = getattr(thread, "_parent", None) if isinstance(thread, multiprocessing.dummy.DummyProcess) else None
    return False


@contextlib.contextmanager
def entered() -> Iterator[None]:
    """This thread is within a logged training."""
    ident = threading.get_ident()
    first = ident not in _inside
    _inside.add(ident)
    try:
        yield
    finally:
        if first:
            _inside.discard(ident)
