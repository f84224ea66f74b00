"""Runs ``logbuch`` with threads whose names the system knows too, by which their processor time is told apart:
``python named.py server …``. Python does that by itself from 3.14 on.
"""

from __future__ import annotations

import threading
from pathlib import Path

from logbuch.cli.main import main

LENGTH = 15
"""So much of a name Linux keeps."""


class Named(threading.Thread):
    """A thread whose name stands in ``/proc``."""

    def start(self) -> None:
        super().start()
        Path(f"/proc/self/task/{self.native_id}/comm").write_text(self.name[:LENGTH])


if __name__ == "__main__":
    threading.Thread = Named  # type: ignore[misc]
    main()
