"""Starting, and what a server holds when it has nothing to do."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from benchmarks.figures import Figures
from benchmarks.servers import Server
from benchmarks.sizes import Sizes

BLOB_BYTES = 256 * 1024
"""About what a full block of noisy values takes."""
IDLE_SECONDS = 3.0


def measure(server: Server, sizes: Sizes) -> Figures:
    """The first start, which makes the database, and the next one; then memory when idle."""
    first = server.start_seconds
    _restart(server)
    server.processes.rest(sizes.quiet_seconds, 60)
    server.processes.learn_idle(IDLE_SECONDS)
    return {
        "first start, s": first,
        "start, s": server.start_seconds,
        "idle memory, MB": server.processes.memory_mb(),
        "idle processes, processes": float(len(server.processes.all())),
    }


def measure_big(server: Server, sizes: Sizes) -> Figures:
    """A start with a database of so many GB, none of which the operating system holds in memory."""
    client = server.client
    client.post("runs/log-metric", {"run_id": client.new_run("0"), "key": "loss", "value": 1, "timestamp": 1})
    server.stop()
    file = server.sqlite_file
    assert file is not None
    _fill(str(file), int(sizes.big_gb * 1e9))
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)
    server.start()
    return {"big database start, s": server.start_seconds, "big database memory, MB": server.processes.memory_mb()}


def _restart(server: Server) -> None:
    server.stop()
    server.start()


def _fill(file: str, size: int) -> None:
    """Fills the table of blocks with random bytes, as if a run had logged that much."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        columns = [
            (name, kind) for _, name, kind, required, *_ in connection.execute("PRAGMA table_info(blocks)") if required
        ]
        known = {"run": "SELECT max(id) FROM runs", "key": "SELECT max(id) FROM names"}
        fixed = {name: connection.execute(query).fetchone()[0] for name, query in known.items()}
        names = [name for name, _ in columns if name != "id"]
        statement = f"INSERT INTO blocks ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        connection.execute("BEGIN")
        for _ in range(size // BLOB_BYTES):
            row = {name: os.urandom(BLOB_BYTES) if kind == "BLOB" else 0 for name, kind in columns} | fixed
            connection.execute(statement, [row[name] for name in names])
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
