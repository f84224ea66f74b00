"""The sign of life that a process gives for the runs it carries on: one for all of them, every quarter of a minute."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from logbuch import settings
from logbuch.errors import EndpointNotFound, NotImplementedHere

logger = logging.getLogger("logbuch")
_FIRST_SECONDS = 5.0
_NOT_WANTED = (EndpointNotFound, NotImplementedHere)


class Heart:
    """``beat`` gives a sign and answers after how many seconds the next one is due. The thread lives as long as a run
    is held. A sign that does not arrive is no matter: the next one brings back what was taken for lost."""

    def __init__(self, beat: Callable[[], float]) -> None:
        self._beat = beat
        self._held: set[str] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wanted = True

    def hold(self, run_id: str) -> None:
        """From now on this process carries on a run."""
        with self._changed:
            self._held.add(run_id)
            if self._thread is None and self._wanted:
                thread = threading.Thread(target=self._run, name="logbuch-heart", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the interpreter shuts down
                    return
                self._thread = thread

    def release(self, run_id: str) -> None:
        """The run has ended."""
        with self._changed:
            self._held.discard(run_id)
            self._changed.notify_all()

    def held(self) -> list[str]:
        """The runs that this process carries on."""
        with self._changed:
            return sorted(self._held)

    def stop(self) -> None:
        """Gives no more signs."""
        with self._changed:
            self._held.clear()
            self._wanted = False
            self._changed.notify_all()

    def _run(self) -> None:
        usual = settings.HEARTBEAT_SECONDS.number()
        seconds = min(usual, _FIRST_SECONDS)  # that it holds the run is a sign of its own
        while self._goes_on(seconds):
            seconds = usual
            try:
                seconds = self._beat()
            except _NOT_WANTED:  # a stock MLflow server
                self._wanted = False
            except Exception as error:  # noqa: BLE001  it must not end the thread
                logger.debug("a sign of life did not arrive: %s", error)

    def _goes_on(self, seconds: float) -> bool:
        """Waits for the next sign to be due; False, and the thread ends, if nothing is held any more."""
        with self._changed:
            if self._wanted:
                self._changed.wait_for(lambda: not self._held, seconds)
            if self._held and self._wanted:
                return True
            self._thread = None
            return False
