"""The stack of active runs: each thread has its own, and a thread without any works for the main thread's."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from logbuch.sdk import ending, workers
from logbuch.sdk.connection import Connection, connect
from logbuch.sdk.output.consolelog import ConsoleLog
from logbuch.sdk.ranks import Rank
from logbuch.sdk.recording.capture import Background
from logbuch.sdk.recording.system_metrics import Monitor
from logbuch.sdk.writer import RankWriter, RunWriter

if TYPE_CHECKING:
    from logbuch.sdk.active import ActiveRun


@dataclass(slots=True, eq=False)
class Active:
    """What belongs to an active run. ``before`` is the exception that was being handled when it began, ``shown`` the
    last one that an interactive session had shown by then."""

    run: ActiveRun
    uri: str
    connection: Connection | None
    writer: RunWriter | None
    before: BaseException | None
    resumed: bool = False
    shown: BaseException | None = field(default_factory=ending.last_shown)
    owner: int = field(default_factory=os.getpid)
    rank: Rank | None = None
    """Which rank this is that logs to the run of rank 0; None where the run is this process's own."""
    capture: Background | None = None
    monitor: Monitor | None = None
    console: ConsoleLog | None = None
    inherits: bool | None = None
    """In a forked child that has printed nothing yet: whether what its parent notes becomes a file, None if it notes
    nothing."""
    hears: bool | None = None
    """Whether the caller wants console output noted."""

    def attached(self) -> tuple[Connection, RunWriter]:
        """Connection and writer, made anew in a forked child."""
        if self.connection is None or self.writer is None:
            self.connection = connect(self.uri)
            if not self.run.info.artifact_uri:  # no server has confirmed it yet
                self.connection.sender.needs(self.run.info.run_id)
            self.writer = self.connection.adopt(self.run)
            if self.rank is not None:
                self.writer = RankWriter(self.run, self.connection.sender, self.rank.label)
        return self.connection, self.writer

    @property
    def owned(self) -> bool:
        """Whether it is this process that ends the run."""
        return self.owner == os.getpid() and self.rank is None

    def settle(self, seconds: float) -> None:
        """Waits for what the run still gathers in the background."""
        if self.capture is not None:
            self.capture.finish(seconds)
            if self.connection is not None and self.capture.finish in self.connection.gathering:
                self.connection.gathering.remove(self.capture.finish)


class _Stacks(threading.local):
    """Each thread's active runs, the innermost last."""

    def __init__(self) -> None:
        self.own: list[Active] = _main if threading.current_thread() is threading.main_thread() else []


_main: list[Active] = []
_stacks = _Stacks()
_all: list[Active] = []
_last_id: str | None = None
_around: Callable[[], Active | None] | None = None
"""Finds the run of the process that has spawned this one."""


def top() -> Active | None:
    """The innermost active run of this thread; in a thread without any, that of the main thread, or of the process that
    has spawned this one."""
    own = _stacks.own
    if own:
        return own[-1]
    if _main or _around is None:
        return _main[-1] if _main else None
    return _around()


def around(find: Callable[[], Active | None]) -> None:
    """Says who tells of the run of the process that spawned this one."""
    global _around
    _around = find


def own_top() -> Active | None:
    """The innermost run that this thread itself has begun."""
    return _stacks.own[-1] if _stacks.own else None


def everything() -> list[Active]:
    """All active runs of the process, of whichever thread."""
    return list(_all)


def last_id() -> str | None:
    """The run that was begun or ended last."""
    return _last_id


def push(active: Active) -> None:
    """Makes a run the active one of this thread."""
    global _last_id
    ending.heed_sigterm()
    _stacks.own.append(active)
    _all.append(active)
    _last_id = active.run.info.run_id
    tell()


def join(active: Active) -> None:
    """Notes a run of the process that has spawned this one."""
    _all.append(active)


def own() -> list[Active]:
    """The runs that this thread itself has begun, the innermost last."""
    return _stacks.own.copy()


def taken(run_id: str | None) -> Iterator[Active]:
    """Takes a run of this thread (the innermost by default) from the stack, behind those that were begun within it."""
    global _last_id
    own = _stacks.own
    if run_id is not None and all(active.run.info.run_id != run_id for active in own):
        return
    while own:
        active = own.pop()
        _last_id = active.run.info.run_id
        yield active
        if run_id is None or active.run.info.run_id == run_id:
            return


def drop(active: Active) -> None:
    """Forgets a run that has ended."""
    with contextlib.suppress(ValueError):
        _all.remove(active)
    if active.owner == os.getpid():
        tell()


def tell() -> None:
    """Tells workers of the run that this process carries on: that of its main thread, or else the only one."""
    mine = [active for active in _all if active.owner == os.getpid()]
    of_main = [active for active in _main if active in mine]
    workers.publish(_card((of_main or mine)[-1]) if of_main or len(mine) == 1 else None)


def _card(active: Active) -> workers.Card:
    rank = (active.rank.number, active.rank.world, active.rank.start) if active.rank is not None else None
    to_file = active.console.to_file if active.console is not None else None
    return workers.Card(active.run.info, active.attached()[0].backend.uri, os.getpid(), rank, to_file, True)


def clear() -> None:
    """The process ends: nothing is active any more."""
    _main.clear()


def _after_fork() -> None:
    """The parent's runs stay active in a forked child, for it may log to them; but it does not end them."""
    for active in _all:
        if active.console is not None:
            active.inherits = active.console.to_file
        active.connection = active.writer = None
        active.capture = active.monitor = active.console = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
