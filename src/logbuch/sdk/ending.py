"""The end of the process: what must still happen then, and what ended it."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

Callback = Callable[[BaseException | None], None]

_AGAIN_SECONDS = 0.02

_callbacks: list[Callback] = []
_installed_in: int | None = None
_killed = False


def at_end(callback: Callback) -> Callback:
    """Calls ``callback`` with the exception that ended the program, if any; what was registered last comes first."""
    _callbacks.append(callback)
    return callback


def killed() -> bool:
    """Whether SIGTERM has asked this process to end."""
    return _killed


def interactive() -> bool:
    """Whether somebody types the program line by line, or runs it cell by cell."""
    if hasattr(sys, "ps1"):
        return True
    shell: Any = sys.modules.get("IPython")
    return shell is not None and shell.get_ipython() is not None


def last_shown() -> BaseException | None:
    """The last exception that nobody caught, as far as the interpreter or the session has shown it."""
    error = getattr(sys, "last_value", None)
    return error if isinstance(error, BaseException) else None


def install() -> None:
    """Arranges, once a process, that the callbacks run at its end."""
    global _installed_in
    if _installed_in == os.getpid():
        return
    _installed_in = os.getpid()
    atexit.unregister(_run)  # what a forked child has inherited
    atexit.register(_run)
    processes: Any = sys.modules.get("multiprocessing.util")
    if processes is not None and _is_worker():
        # multiprocessing ends forked workers without running atexit, but it does run its own finalizers.
        processes.Finalize(None, _run, exitpriority=100)


def heed_sigterm() -> None:
    """Lets SIGTERM end the program in the ordinary way, if nobody else minds that signal."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_sigterm)


def _is_worker() -> bool:
    processes: Any = sys.modules.get("multiprocessing.process")
    return processes is not None and processes.parent_process() is not None


def _on_sigterm(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """Leaves the program as sys.exit does, so that its runs are ended; a second signal kills as usual.

    No lock is taken here: the main thread may hold it.
    """
    global _killed
    _killed = True
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    leaving = SystemExit(128 + number)
    _insist(leaving)
    raise leaving


def _insist(leaving: SystemExit) -> None:
    """In a finalizer or a weak reference's callback, Python reports an exception and drops it: then the signal comes
    again, a moment later."""
    report = sys.unraisablehook

    def hook(dropped: Any) -> None:
        if dropped.exc_value is not leaving:
            report(dropped)
            return
        sys.unraisablehook = report
        signal.signal(signal.SIGTERM, _on_sigterm)
        again = threading.Timer(_AGAIN_SECONDS, os.kill, (os.getpid(), signal.SIGTERM))
        again.daemon = True
        again.start()

    sys.unraisablehook = hook


def _run() -> None:
    error = _fatal()
    for callback in reversed(_callbacks):
        with contextlib.suppress(Exception):
            callback(error)


def _fatal() -> BaseException | None:
    """The exception that ended the program. In an interactive session the last one may be long past."""
    return None if interactive() else last_shown()


def _after_fork() -> None:
    global _installed_in
    _installed_in = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
