"""How active runs are heard and ended: by the program, by an exception, and by themselves when the process ends."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import traceback
from types import TracebackType
from typing import Literal

from logbuch import limits, settings
from logbuch.errors import LogbuchError
from logbuch.model import Run, RunData, RunStatus
from logbuch.sdk import ending, stack, workers
from logbuch.sdk.alertlimit import HELD_BACK_TAG, limiter
from logbuch.sdk.backends import place
from logbuch.sdk.connection import Connection
from logbuch.sdk.notes import say
from logbuch.sdk.output import console, consolelog
from logbuch.sdk.output.console import Recorder
from logbuch.sdk.ranks import Rank
from logbuch.sdk.shipping.delivery import Files
from logbuch.sdk.stack import Active
from logbuch.stability.findings import LOST_TAG

_shown = False
_inheriting = threading.RLock()
_joined: Active | None = None
"""The run of the process that has spawned this one, once it was asked for."""
ERROR_TAG = "logbuch.error"
_CAPTURE_SECONDS = 5.0


class ActiveRun(Run, frozen=True):
    """A run that has been started. As a context manager it ends the run: FINISHED, or FAILED with an exception."""

    def __enter__(self) -> ActiveRun:
        for active in stack.everything():
            if active.run is self:
                hear(active, within=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        end(self.info.run_id, outcome(error), error)
        return False


def hear(active: Active, *, within: bool = False) -> None:
    """Begins to note the console output for a run, if that is wanted."""
    if active.console is None and consolelog.wanted(active.hears, within=within):
        connection, writer = active.attached()
        active.console = consolelog.begin(connection, writer, resumed=active.resumed)
        console.wrap(recorder)
        stack.tell()


def deafen(active: Active) -> None:
    """Ends the log of a run's console output; with the last one the streams are as they were."""
    if active.console is not None:
        active.console.close()
        active.console = None
    heard = any(other.console is not None or other.inherits is not None for other in stack.everything())
    if not heard and not workers.spawned():
        console.unwrap()


def recorder() -> Recorder | None:
    """Who notes what is printed now, in this thread."""
    found = stack.top()
    if found is None:
        return None
    if found.inherits is not None:
        _inherit(found)
    return found.console.recorder if found.console is not None else None


def _inherit(found: Active) -> None:
    """A worker prints for the first time: it notes that as its parent does. What is printed meanwhile, by a signal
    handler, is not."""
    with _inheriting:
        to_file, found.inherits = found.inherits, None
        if to_file is not None:
            found.console = consolelog.inherit(found.attached, to_file=to_file)


def of_starter() -> Active | None:
    """The run of the process that has spawned this one; None if that carries on none, or is none of Logbuch's."""
    with contextlib.suppress(Exception), _inheriting:
        return _of_starter()
    return None


def _of_starter() -> Active | None:
    global _joined
    card = workers.current()
    if card is None or (_joined is not None and _joined.run.info.run_id == card.run.run_id) or not card.active:
        return _joined
    if _joined is not None:
        _silence(_joined)
    rank = Rank(*card.rank) if card.rank is not None else None
    run = ActiveRun(info=card.run, data=RunData())
    _joined = Active(
        run, _way_to(card.uri), None, None, None, resumed=True, owner=card.pid, rank=rank, inherits=card.to_file
    )
    stack.join(_joined)
    return _joined


def _way_to(uri: str) -> str:
    """The tracking URI of a place, with the credentials that this process has for it."""
    mine = place.current()
    where = place.understand(mine)
    if isinstance(where, str):
        from logbuch.sdk.backends.transport import bare

        return mine if bare(where) == uri else uri
    return mine if where.uri == uri else uri


def end(run_id: str | None, status: RunStatus | None, error: BaseException | None = None) -> None:
    """Ends a run of this thread (the innermost by default) and those that were begun within it.

    Without a ``status``, the exception that is passing decides. Waits until all that was logged has been sent, at most
    as long as the setting ``finish_timeout`` says; what is left is sent later, as long as the process lives.
    """
    for active in stack.taken(run_id):
        if active.console is not None and error is not None:
            active.console.trace(error)
        passing = error if error is not None else _passing(active)
        try:
            _end_one(active, status if status is not None else outcome(passing), passing)
        except LogbuchError as trouble:  # only a forked child, which connects anew, can get here
            say(f"logbuch: run {active.run.info.run_name} was not ended: {trouble}")


def end_of_cell() -> bool:
    """Ends what an earlier cell of a notebook has left running, as that cell has ended; False outside of notebooks and
    other interactive sessions, where a run that is still active is a mistake of the program."""
    if not ending.interactive():
        return False
    for active in reversed(stack.own()):
        shown = ending.last_shown()
        error = shown if shown is not active.shown else None
        status = outcome(error)
        end(active.run.info.run_id, status, error)
        say(f"Run {active.run.info.run_name} was still active from an earlier cell: ended as {status}.")
    return True


def _end_one(active: Active, status: RunStatus, error: BaseException | None) -> None:
    connection, writer = active.attached()
    deadline = time.monotonic() + settings.FINISH_TIMEOUT.number()
    if active.owned:
        conclude(active, status, error)
    else:
        leave(active, error)
    left = connection.sender.trouble.patience(max(0.0, deadline - time.monotonic()))
    if not connection.sender.flush(left, patient=True, files=Files.DUE):
        trouble = connection.sender.delivery().trouble or "it takes long"
        say(
            f"logbuch: run {active.run.info.run_name} ended with records still to be sent ({trouble}); "
            "they are on the disk and are sent as soon as they can be."
        )
    connection.forget(writer.run_id)
    if active.owned:
        _show_way(active, connection)


def _show_way(active: Active, connection: Connection) -> None:
    """Says, once a process, how to see the runs that are kept without a server."""
    global _shown
    if not _shown and not settings.QUIET.flag():
        way = connection.backend.way_to_see()
        if way is not None:
            say(f"Run {active.run.info.run_name} is in {way}")
            _shown = True


def leave(active: Active, error: BaseException | None) -> None:
    """Ends what this process does for a run that is another's. If it failed, the run says so, for that may be why it
    ends."""
    _silence(active)
    if error is None or active.rank is None or active.owner != os.getpid():  # the latter in a forked child
        return
    if outcome(error) is RunStatus.FAILED:
        _keep_error(active, error, f"In rank {active.rank.number}:\n")


def _silence(active: Active) -> None:
    if active.monitor is not None:
        active.monitor.stop()
    deafen(active)
    active.settle(min(_CAPTURE_SECONDS, settings.FINISH_TIMEOUT.number() / 2))
    stack.drop(active)


def _keep_error(active: Active, error: BaseException, place: str = "") -> None:
    text = "".join(traceback.format_exception(error)).replace("\0", "")
    shown = place + text[-(limits.RUN_TAG_VALUE_LENGTH - len(place)) :]
    active.attached()[1].tags({ERROR_TAG: shown}, vital=True)


def conclude(active: Active, status: RunStatus, error: BaseException | None) -> None:
    """Queues the end of a run: its last tags, then its status."""
    connection, writer = active.attached()
    _silence(active)
    if error is not None and status is not RunStatus.FINISHED:
        _keep_error(active, error)
    held_back = limiter.held_back(writer.run_id)
    if held_back:
        writer.tags({HELD_BACK_TAG: str(held_back)}, vital=True)
    lost = connection.sender.losses.of(writer.run_id)
    if lost:
        writer.tags({LOST_TAG: str(lost)}, vital=True)
    writer.end(status, max(writer.now(), active.run.info.start_time))
    connection.heart.release(writer.run_id)


def outcome(error: BaseException | None) -> RunStatus:
    """The status of a run that ends while this exception passes."""
    if ending.killed() or isinstance(error, KeyboardInterrupt):
        return RunStatus.KILLED
    if error is None or isinstance(error, GeneratorExit):
        return RunStatus.FINISHED
    if isinstance(error, SystemExit):
        return RunStatus.FINISHED if error.code in (None, 0) else RunStatus.FAILED
    return RunStatus.FAILED


def _passing(active: Active) -> BaseException | None:
    """The exception that passes now and did not yet when the run began."""
    error = sys.exc_info()[1]
    return None if error is active.before else error


@ending.at_end
def _end_all(error: BaseException | None) -> None:
    """Ends the runs that this process has begun and not ended."""
    for active in reversed(stack.everything()):
        with contextlib.suppress(Exception):
            if active.owned:
                conclude(active, outcome(error), error)
                _show_way(active, active.attached()[0])
            else:
                leave(active, error)
    stack.clear()


def _after_fork() -> None:
    global _shown, _inheriting
    _shown, _inheriting = True, threading.RLock()


stack.around(of_starter)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
