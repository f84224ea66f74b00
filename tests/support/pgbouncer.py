"""PgBouncer before a PostgreSQL server, pooling transactions, as Debian's package brings it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from support.ports import free_port

START_SECONDS = 60
_CONFIG = """
[databases]
* = host={host} port=5432 user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
server_reset_query_always = 0
pidfile = {home}/pid
"""


@contextmanager
def pgbouncer(uri: str) -> Iterator[str]:
    """The URI by which a database is reached through a pooler."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.fail("There is no pgbouncer: install the package pgbouncer (`make pgbouncer`).")
    database = psycopg.conninfo.conninfo_to_dict(uri)
    port = free_port()
    home = Path(tempfile.mkdtemp(dir=Path(database["host"]).parent))  # the user that runs PostgreSQL can enter there
    (home / "ini").write_text(_CONFIG.format(home=home, port=port, host=database["host"], user=database["user"]))
    command = [program, str(home / "ini")]
    if os.geteuid() == 0:
        shutil.chown(home, "pgserver")
        command += ["-u", "pgserver"]  # as PostgreSQL, it does not run as root
    with (home / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    found = f"postgresql://{database['user']}@127.0.0.1:{port}/{database['dbname']}"
    try:
        _wait(found, process, home / "said")
        yield found
    finally:
        process.kill()
        process.wait(20)


def _wait(uri: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(uri).close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.1)
