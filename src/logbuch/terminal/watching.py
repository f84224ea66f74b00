"""A thread that asks again and again and hands over what is answered, so that the view never waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from logbuch.errors import LogbuchError

T = TypeVar("T")


class Watcher(Generic[T]):
    """Calls ``ask`` at once and ``seconds`` after each answer, and hands each answer or error to ``tell``, in the
    thread. A daemon: the end of the view waits for no server that is silent."""

    def __init__(self, ask: Callable[[], T], tell: Callable[[T | LogbuchError], None], seconds: float) -> None:
        self._ask = ask
        self._tell = tell
        self._seconds = seconds
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logbuch-top", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Asks now, or once more where it is just asking."""
        self._woken.set()

    def stop(self) -> None:
        """Nothing is handed over any more."""
        self._stopped.set()
        self._woken.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._woken.clear()
            answer = self._answer()
            if self._stopped.is_set():
                return
            self._tell(answer)
            self._woken.wait(self._seconds)

    def _answer(self) -> T | LogbuchError:
        try:
            return self._ask()
        except LogbuchError as error:
            return error
