"""The supervisor of several server processes."""

from __future__ import annotations

import subprocess
import sys
import textwrap

GIVES_UP_AT_ONCE = """
    import os, signal
    from logbuch.web.workers import supervise

    def work():
        os.kill(os.getppid(), signal.SIGTERM)
        return 1

    raise SystemExit(supervise(work, 8))
"""


def test_a_worker_may_end_the_supervisor_while_others_still_start() -> None:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(GIVES_UP_AT_ONCE)], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
