"""The log of one run's console output: lines go to the journal, and to a file where a server knows no logs."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from logbuch.sdk.artifacts import files
from logbuch.sdk.backends.calls import FileCall
from logbuch.sdk.connection import Connection
from logbuch.sdk.output import console
from logbuch.sdk.output.console import Recorder
from logbuch.sdk.output.screen import without_escapes
from logbuch.sdk.recording import capture
from logbuch.sdk.writer import RunWriter

FILE = "logbuch/console.log"
"""The artifact that holds the console output on servers that keep no logs."""
_NO_NAME = re.compile(r"[^\w.-]+")


Attach = Callable[[], tuple[Connection, RunWriter]]


class ConsoleLog:
    """Notes the console output of a run, until it is closed. ``attach`` gives the way to the run when the first line
    comes; ``path`` is that of the artifact where the server keeps no logs, else None; ``source`` names the process."""

    def __init__(self, attach: Attach, path: str | None, source: str) -> None:
        self._attach, self._path, self._source = attach, path, source
        self._writer: RunWriter | None = None
        self._file: _File | None = None
        self._failed = False
        self.recorder = Recorder(self)

    @property
    def to_file(self) -> bool:
        """Whether the output becomes an artifact."""
        return self._path is not None

    def log(self, stream: str, times: Sequence[int], texts: Sequence[str], open_line: str, dropped: int) -> None:
        """Takes lines from the recorder."""
        writer = self._attached()
        if self._file is not None:
            self._file.write(stream, times, texts)
        elif writer is not None and self._path is None:
            writer.log(stream, times, texts, open_line, dropped, self._source)

    def _attached(self) -> RunWriter | None:
        if self._writer is None and not self._failed:
            self._failed = True  # it is not tried with every line, if it fails
            connection, self._writer = self._attach()
            if self._path is not None:
                self._file = _File(connection, self._writer, self._path)
            self._failed = False
        return self._writer

    def trace(self, error: BaseException) -> None:
        """Notes an exception that leaves the run's block: Python prints it when the log has long been closed."""
        if isinstance(error, (Exception, KeyboardInterrupt)):
            self.recorder.feed("stderr", "".join(traceback.format_exception(error)))

    def close(self) -> None:
        self.recorder.close()
        if self._file is not None:
            self._file.close()


class _File:
    """A file that grows with the run and is uploaded at its end; by a later process, if this one does not get there."""

    def __init__(self, connection: Connection, writer: RunWriter, path: str) -> None:
        self._writer = writer
        self._open: TextIO | None = None
        self._call: FileCall | None = None
        with files.never_fatal(connection, writer, path):
            kept: Path | None = connection.spool.keep(b"")
            if kept is not None:
                self._open = kept.open("w", encoding="utf-8", errors="replace", buffering=1)
                self._call = connection.spool.upload(writer.info, path, kept)

    def write(self, stream: str, times: Sequence[int], texts: Sequence[str]) -> None:
        if self._open is not None:
            for moment, text in zip(times, texts, strict=True):
                self._open.write(f"{_clock(moment)} {stream} {without_escapes(text)}\n")

    def close(self) -> None:
        if self._open is not None and self._call is not None:
            self._open.close()
            self._open = None
            self._writer.file(self._call)


def begin(connection: Connection, writer: RunWriter, *, resumed: bool = False) -> ConsoleLog:
    """Begins to note the output of this process."""
    path = None
    if not connection.sender.knows_journals():
        path = f"logbuch/console-{datetime.now(UTC):%Y%m%d-%H%M%S}.log" if resumed else FILE
    return ConsoleLog(lambda: (connection, writer), path, console.source(joined=resumed))


def inherit(attach: Attach, *, to_file: bool) -> ConsoleLog:
    """Begins to note the output of a forked child of a process that notes its own."""
    source = console.source(joined=True)
    path = f"logbuch/console-{_NO_NAME.sub('-', source)}-{os.getpid()}.log" if to_file else None
    return ConsoleLog(attach, path, source)


def wanted(asked: bool | None, *, within: bool) -> bool:
    """Whether a run's console output is noted: what the caller said, else the setting. By itself it is noted in
    scripts, in notebooks while a ``with`` block lasts (``within``), and not at a prompt."""
    if asked is not None:
        return asked
    mode = console.mode()
    if mode != console.AUTO:
        return mode != console.OFF
    if capture.in_notebook():
        return within
    return not _at_prompt()


def _at_prompt() -> bool:
    shell = sys.modules.get("IPython")
    return hasattr(sys, "ps1") or bool(sys.flags.interactive) or (shell is not None and shell.get_ipython() is not None)


def _clock(milliseconds: int) -> str:
    """The machine's time; a clock beyond the calendar gives the bare number."""
    with contextlib.suppress(OverflowError, OSError, ValueError):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(milliseconds / 1000))
    return f"{milliseconds} ms"
