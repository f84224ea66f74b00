"""Waiting for what other processes do. A failure tells what was seen last, what servers and processes said, and what
lies in folders: on another machine that is all there is to understand it by."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from support.servers import Server

PATIENCE_SECONDS = 120.0
"""Only what is wrecked takes so long: a busy machine is no fault."""
_PAUSE_SECONDS = 0.02
_TAIL_CHARACTERS, _ENTRIES = 4000, 200

Source = Server | Path | subprocess.Popen[str] | subprocess.Popen[bytes] | Callable[[], object]
Seen = TypeVar("Seen")


def wait_until(
    look: Callable[[], Seen],
    right: Callable[[Seen], object] = bool,
    *sources: Source,
    seconds: float = PATIENCE_SECONDS,
) -> Seen:
    """What ``look`` gives, as soon as it is ``right``. AssertionError after ``seconds``, with the last value and what
    the sources tell: a server the end of its log, a folder what is in it, a process whether it has ended."""
    end = time.monotonic() + seconds
    while True:
        late = time.monotonic() > end  # asked before the look: who was stopped meanwhile looks once more
        seen = look()
        if right(seen):
            return seen
        if late:
            raise AssertionError("\n".join([f"after {seconds:g} s it is still {seen!r}", *map(told, sources)]))
        time.sleep(_PAUSE_SECONDS)


def told(source: Source) -> str:
    """What a source of a failed test has to say."""
    if isinstance(source, Server):
        return f"the server at {source.url} ({_state(source.process)}) says:\n{source.log()[-_TAIL_CHARACTERS:]}"
    if isinstance(source, Path):
        return f"in {source}:\n" + _listed(source)
    if isinstance(source, subprocess.Popen):
        return f"{source.args!r}: {_state(source)}"
    return f"{source()!r}"


def _state(process: subprocess.Popen[str] | subprocess.Popen[bytes] | None) -> str:
    if process is None:
        return "not started, or ended by the test"
    code = process.poll()
    return "runs" if code is None else f"ended with {code}"


def _listed(folder: Path) -> str:
    """Every file below a folder, with its size; small ones that are text with what they hold."""
    if not folder.exists():
        return "  (not there)"
    lines = []
    for path in sorted(folder.rglob("*"))[:_ENTRIES]:
        try:
            lines.append(f"  {path.relative_to(folder)} {_described(path)}")
        except OSError as error:  # it has just gone
            lines.append(f"  {path.relative_to(folder)} {error.strerror}")
    return "\n".join(lines) or "  (empty)"


def _described(path: Path) -> str:
    if path.is_dir():
        return "/"
    size = path.stat().st_size
    return f"{size} bytes" + (f": {path.read_text()}" if path.suffix == ".json" and size < 2000 else "")
