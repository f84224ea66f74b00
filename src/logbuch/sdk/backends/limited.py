"""A call that waits for others, with a limit to the waiting but none to the work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Generic, TypeVar

from logbuch.errors import Unavailable

R = TypeVar("R")
Step = Callable[[], None]


class GivenUp(Exception):
    """Raised by ``begin`` in a call whose caller has gone."""


class Limited(Generic[R]):
    """Runs ``work(begin)`` in a thread. ``work`` calls ``begin`` when it has what it waits for: a caller who has lost
    patience by then makes it stop there, so that nothing is done behind their back."""

    def __init__(self, work: Callable[[Step], R]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._begun = self._given_up = False
        self._outcome: Future[R] = Future()

    def result(self, seconds: float, message: str) -> R:
        """What ``work`` returns or raises; ``Unavailable`` with this message if it has not begun in time."""
        try:
            threading.Thread(target=self._run, name="logbuch-call", daemon=True).start()
        except RuntimeError:  # the interpreter shuts down
            self._run()
        try:
            return self._outcome.result(seconds)
        except FutureTimeout:
            if self._outcome.done():  # the work itself timed out
                raise
        with self._lock:
            self._given_up = not self._begun
        if self._given_up:
            raise Unavailable(message)
        return self._outcome.result()

    def _begin(self) -> None:
        with self._lock:
            if self._given_up:
                raise GivenUp
            self._begun = True

    def _run(self) -> None:
        try:
            self._outcome.set_result(self._work(self._begin))
        except BaseException as error:  # noqa: BLE001  it goes to the caller
            self._outcome.set_exception(error)
