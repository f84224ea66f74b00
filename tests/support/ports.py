"""Free ports on the loopback interface, which nobody else takes before, or between, their use.

The ports that the kernel gives away by itself, to whatever connects to something, begin at 32768: ports are taken from
below, so that a server that is killed finds its own again. A UDP socket on the same number, which nobody minds, keeps
other test processes from choosing it.
"""

from __future__ import annotations

import os
import random
import socket
from collections import deque

FIRST, LAST = 12_000, 32_000
KEPT = 300
"""How many ports are kept for this process: far more than are in use at a time."""

_marks: deque[int] = deque()
_dice = random.Random(os.urandom(8))


def free_port() -> int:
    for _ in range(1000):
        port = _dice.randrange(FIRST, LAST)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mark, socket.socket() as probe:
            try:
                mark.bind(("127.0.0.1", port))
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            _marks.append(mark.detach())
        if len(_marks) > KEPT:
            os.close(_marks.popleft())
        return port
    raise RuntimeError("no port is free")
