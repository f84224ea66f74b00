"""Passes a program's output on when the process that did so was killed. Run by its file, by a bare Python.

``standin.py HEARD END [END]``: HEARD is a pipe on which the other process says, by its number, which END it has done
with. When that pipe ends, the ENDs that are left are read, and written to stdout and stderr; where nobody takes it any
more, it is read all the same, so that the program goes on.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Sequence

_PIECE = 65_536
_STREAMS = (1, 2)


def stand_by(heard: int, ends: Sequence[int]) -> dict[int, int]:
    """Sleeps until the other process is done or gone; returns the ends that are left, each with its target."""
    left = dict(zip(ends, _STREAMS, strict=False))
    while left and (number := os.read(heard, 1)):
        end = ends[number[0]]
        del left[end]
        os.close(end)
    return left


def pass_on(left: dict[int, int]) -> None:
    """Copies until all that write have gone."""
    while left:
        for end in select.select(list(left), [], [])[0]:
            piece = read(end)
            if piece:
                with contextlib.suppress(OSError):  # nobody reads any more
                    write_all(left[end], piece)
            else:
                del left[end]


def read(end: int) -> bytes:
    """What is there to be read; nothing at the end."""
    try:
        return os.read(end, _PIECE)
    except OSError:  # so Linux says that nobody has the other end of a terminal any more
        return b""


def write_all(target: int, piece: bytes) -> None:
    """Writes all of it; OSError where nobody takes it."""
    while piece:
        piece = piece[os.write(target, piece) :]


if __name__ == "__main__":
    pass_on(stand_by(int(sys.argv[1]), [int(text) for text in sys.argv[2:]]))
