"""A MariaDB of its own, without a password, as Debian's package brings it."""

from __future__ import annotations

import getpass
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pymysql
import pytest

from support.ports import free_port

START_SECONDS = 120


@contextmanager
def mariadb(home: Path) -> Iterator[str]:
    """The URI of an empty database, on a server whose files lie in ``home``."""
    for name in ("mariadbd", "mariadb-install-db"):
        if shutil.which(name) is None:
            pytest.fail(f"There is no {name}: install mariadb-server-core and mariadb-client-core (`make mariadb`).")
    data, port, mine = home / "data", free_port(), f"--user={getpass.getuser()}"
    prepared = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", mine, "--skip-test-db"]
    done = subprocess.run(
        [*prepared, "--auth-root-authentication-method=normal"], capture_output=True, text=True, timeout=START_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    served = ["mariadbd", "--no-defaults", f"--datadir={data}", mine, f"--socket={home}/socket", f"--port={port}"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [*served, "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0", f"--pid-file={home}/pid"],
            stdout=log,
            stderr=log,
        )
    try:
        _make(port, process, home / "log")
        yield f"mysql+pymysql://root@127.0.0.1:{port}/mlflow"
    finally:
        process.kill()
        process.wait(60)


def _make(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with closing(pymysql.connect(host="127.0.0.1", port=port, user="root")) as connection:
                connection.cursor().execute("CREATE DATABASE mlflow CHARACTER SET utf8mb4")
            return
        except pymysql.err.OperationalError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.1)
