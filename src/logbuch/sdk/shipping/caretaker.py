"""What trainings without a server have left beside their database is sent while a server serves that database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from logbuch.errors import LogbuchError
from logbuch.sdk.backends import place

logger = logging.getLogger("logbuch")
LOOK_SECONDS = 15.0


@contextmanager
def caretaker(database: Path, artifacts: Path) -> Iterator[None]:
    """Looks at once and then every quarter of a minute, in a thread, while the block lasts."""
    end = threading.Event()

    def work() -> None:
        told = ""
        while not end.is_set():
            try:
                take_care(database, artifacts, end)
                told = ""
            except Exception as error:  # noqa: BLE001  the server goes on, whatever it is
                if str(error) != told:
                    told = str(error)
                    logger.warning("what trainings have left beside %s could not be sent: %s", database, error)
            end.wait(LOOK_SECONDS)

    thread = threading.Thread(target=work, name="logbuch-caretaker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(5)


def take_care(database: Path, artifacts: Path, end: threading.Event) -> None:
    """Sends what dead processes have left beside a database, and ends their runs. The database is opened only if there
    is something."""
    from logbuch.sdk.shipping import leftovers

    roots = [(database.parent / place.JOURNALS, f"sqlite:{database.name}")]
    roots += [(root, f"sqlite:{database}") for root in place.used_roots()]
    roots = [(root, meant) for root, meant in roots if leftovers.dead(root, meant)]
    if not roots:
        return
    from logbuch.sdk.backends.embedded import EmbeddedBackend

    backend = EmbeddedBackend(database, artifacts)
    try:
        found = [outcome for one in roots for outcome in leftovers.sweep(*one, backend, "", end.is_set)]
    finally:
        backend.close()
    for outcome in found:
        why = outcome.complaint() or outcome.why
        if why is not None and not end.is_set():
            raise LogbuchError(why)
