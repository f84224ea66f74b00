"""A real server in a process of its own, as users start it."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from support.ports import free_port

# Only what is wrecked takes so long: a busy machine is no fault of the server.
START_SECONDS, STOP_SECONDS = 90, 60
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For calls without TLS: to read the machine's certificates for each of them costs more than the call."""


@dataclass
class Server:
    """``logbuch server`` on a folder and a database; ``start`` and ``kill`` may be called again and again."""

    folder: Path
    store_uri: str
    arguments: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    settings: dict[str, str] = field(default_factory=dict)
    ready_after: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Server:
        command = [sys.executable, "-m", "logbuch", "server", "--port", str(self.port)]
        command += ["--backend-store-uri", self.store_uri, "--default-artifact-root", str(self.folder / "artifacts")]
        begun = time.monotonic()
        with (self.folder / "server.log").open("ab") as log:
            environment = {
                key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "LOGBUCH_"))
            }
            self.process = subprocess.Popen(
                [*command, *self.arguments], stdout=log, stderr=log, cwd=self.folder, env=environment | self.settings
            )
        self._wait(begun)
        return self

    def _wait(self, begun: float) -> None:
        assert self.process is not None
        while time.monotonic() - begun < START_SECONDS:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.log()}")
            try:
                if httpx.get(f"{self.url}/health", verify=PLAIN).status_code == 200:
                    self.ready_after = time.monotonic() - begun
                    return
            except httpx.TransportError:
                time.sleep(0.02)
        raise RuntimeError(f"the server did not answer: {self.log()}")

    def log(self) -> str:
        path = self.folder / "server.log"
        return path.read_text() if path.exists() else ""

    def kill(self) -> None:
        """kill -9: nothing is flushed, nothing is said."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """An orderly end; the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()  # or it holds up whoever waits for its output, to the end of all tests
            process.wait()
            raise RuntimeError(f"the server did not end {STOP_SECONDS} s after {how.name}: {self.log()}") from None

    # -- short ways to the REST API ------------------------------------------------------------

    def post(self, path: str, /, body: Any = None, **more: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/api/2.0/mlflow/{path}", json=body or {}, timeout=180, verify=PLAIN, **more)

    def get(self, path: str, /, **query: Any) -> httpx.Response:
        return httpx.get(f"{self.url}/api/2.0/mlflow/{path}", params=query, timeout=180, verify=PLAIN)

    def native(self, path: str, /, body: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/api/logbuch/1/{path}", json=body, timeout=180, verify=PLAIN)

    def new_run(self, experiment_id: str = "0", **more: Any) -> str:
        answer = self.post("runs/create", {"experiment_id": experiment_id, "start_time": 1, **more})
        assert answer.status_code == 200, answer.text
        run_id: str = answer.json()["run"]["info"]["run_id"]
        return run_id
