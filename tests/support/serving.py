"""``logbuch models serve`` in a process of its own, as users start it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from support.ports import free_port

START_SECONDS = 240
"""A fresh environment is made first where one is wanted; nothing is measured by this."""


@dataclass
class Scoring:
    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def post(self, body: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/invocations", json=body, timeout=60)

    def wait(self) -> Scoring:
        """Until the model is loaded."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                # A socket is there before the model is: the answer waits until it is loaded.
                if httpx.get(f"{self.url}/ping", timeout=START_SECONDS).status_code == 200:
                    return self
            except httpx.TransportError:
                time.sleep(0.05)
        raise RuntimeError(self.log.read_text())

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(60)


def launch(
    folder: Path,
    environment: Mapping[str, str],
    *arguments: str,
    program: Sequence[str] = (sys.executable, "-m", "logbuch"),
) -> Scoring:
    """Starts it, or the same command of another program, and does not wait."""
    port = free_port()
    log = folder / f"serve-{port}.log"
    command = [*program, "models", "serve", "-p", str(port), *arguments]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=dict(environment), stdout=out, stderr=out)
    return Scoring(process, f"http://127.0.0.1:{port}", log)
