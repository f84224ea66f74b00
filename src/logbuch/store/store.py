"""The store: opens a database, runs store functions in transactions, commits writes in groups.

A store function is a plain function whose first argument is a :class:`Tx`: ``store.read(runs.get, run_id)``,
``store.write(runs.create, new)``, or ``await store.write_soon(...)`` in a server. All nouns share these ways in.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError

from logbuch import limits
from logbuch.errors import InvalidInput, LogbuchError, Unavailable
from logbuch.store import adopt, batch, bulk, changes, copying, erase, journals, logs, migrate, retention, runs
from logbuch.store.metrics import backlog, log
from logbuch.store.metrics.sealing import Sealer
from logbuch.store.seam import Seam
from logbuch.store.tx import Pending, Tx, needs_latest
from logbuch.store.writer import Job, LoopWaiter, ThreadWaiter, Writer

P = ParamSpec("P")
R = TypeVar("R")
logger = logging.getLogger("logbuch.store")
_KNOWN_NAMES_LIMIT = 200_000
_RETRIES = 5
CATCH_UP_SECONDS = 10.0
"""For so long a reader waits until the latest values are up to date; then it goes on with those there are."""
_OF_A_RUN: frozenset[Callable[..., Any]] = frozenset(
    {
        batch.log_batch,
        batch.log_inputs,
        batch.log_outputs,
        runs.set_tags,
        runs.delete_tag,
        runs.update_run,
        runs.delete,
        runs.restore,
    }
)
"""Functions whose first argument is the ID of a run. A group locks and reads all its runs at once, in order."""
_OF_RUNS: frozenset[Callable[..., Any]] = bulk.OF_RUNS | {
    adopt.take,
    backlog.merge,
    erase.erase_runs,
    retention.remove,
}
"""Functions whose first argument is the IDs of runs."""


def _written(job: Job) -> Iterable[str]:
    """The IDs of the runs that a job writes to; a batch of a journal adds names of its own, which are no run's."""
    if job.function is journals.ingest:
        names: Iterable[str] = job.arguments[0].locks
        return names
    if job.function in _OF_RUNS:
        return filter(limits.is_run_id, job.arguments[0])
    return (job.arguments[0],) if job.function in _OF_A_RUN else ()


class Store:
    """One open database. ``seal=False`` leaves packing the metric log to another process (embedded use)."""

    def __init__(self, seam: Seam, *, seal: bool = True) -> None:
        self._seam = seam
        self._names: dict[str, int] = {}
        self._followers: list[Callable[[], None]] = []
        self._growth = backlog.Growth()
        self._committing = False
        try:
            self.id = migrate.prepare(seam)
        except BaseException:
            seam.close()
            raise
        self._writer = Writer(self._commit)
        self._sealer = Sealer(self.read, self.write, seam.tidy) if seal else None
        if self._sealer is not None:
            seam.tend()
            self._sealer.look()  # at what an earlier process left

    @property
    def where(self) -> str:
        """The database's place, without a password."""
        return self._seam.where

    def read(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs a store function in a reading transaction of its own: one snapshot, latest values up to date.

        Where the connection breaks, the function is run once more.
        """
        try:
            try:
                return self._read(function, *args, **kwargs)
            except SQLAlchemyError as error:
                if not _broken(error):
                    raise
                self._seam.reader.dispose()  # the idle ones are as old, and broke with it
                return self._read(function, *args, **kwargs)
        except SQLAlchemyError as error:
            raise self._translated(error) from error

    def write(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs a store function in the next group commit and waits until it is durable."""
        future: Future[R] = Future()
        self._writer.submit(Job(ThreadWaiter(future), function, args, kwargs))
        return future.result()

    def write_soon(
        self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[R]:
        """Like :meth:`write`, for a coroutine: the future is done when the commit is durable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._writer.submit(Job(LoopWaiter(loop, future), function, args, kwargs))
        return future

    def stamp(self) -> Hashable | None:
        """A value that is another one after every commit of any process, where asking costs next to nothing: what was
        read after it was taken holds while it stays the same. None elsewhere."""
        return self._seam.stamp()

    def follow(self, follower: Callable[[], None]) -> Callable[[], None]:
        """Calls ``follower`` from some thread after every commit of this process; the answer ends that."""
        self._followers.append(follower)
        return lambda: self._followers.remove(follower)

    def watch(self, changed: Callable[[], None]) -> Any:
        """A context in which ``changed`` is called whenever another process may have committed."""

        def both() -> None:
            if self._sealer is not None:
                self._sealer.look()
            changed()

        return self._seam.watch(both)

    def copy(self, file: Path) -> None:
        """Writes one snapshot of the whole database into a new SQLite file, while others go on writing."""
        try:
            self._seam.copy(file)
        except SQLAlchemyError as error:
            raise self._translated(error) from error

    def fill(self, file: Path) -> None:
        """Fills an empty database with what :meth:`copy` wrote; StoreRefused for one that holds runs."""
        try:
            copying.load(file, self._seam)
        except SQLAlchemyError as error:
            raise self._translated(error) from error

    def rest(self) -> None:
        """Closes all connections; the next call opens new ones. For a process that is about to fork while nothing is
        under way: a child that inherited an open SQLite connection would also inherit its locks, and lose commits."""
        self._seam.close()

    def close(self) -> None:
        """Commits what is under way and closes the database."""
        if self._sealer is not None:
            self._sealer.close()
        self._writer.close()
        self._seam.close()

    # -- reading -----------------------------------------------------------------------------------------------------

    def _read(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        if needs_latest(function):
            with self._snapshot() as tx:
                waiting = backlog.waiting(tx)
                if not waiting:
                    return function(tx, *args, **kwargs)
            self._catch_up(waiting)
        with self._snapshot() as tx:
            return function(tx, *args, **kwargs)

    @contextmanager
    def _snapshot(self) -> Iterator[Tx]:
        with self._seam.reader.connect() as connection, self._seam.begin_read(connection):
            tx = Tx(connection, self._seam, self._names)
            yield tx
        self._remember(tx.pending.names)

    def _catch_up(self, run_ids: Sequence[str]) -> None:
        """Has the latest values of these runs brought up to date. Where the database takes no writes, its readers see
        those that there are."""
        future: Future[None] = Future()
        try:
            self._writer.submit(Job(ThreadWaiter(future), backlog.merge, (run_ids,)))
            future.result(CATCH_UP_SECONDS)
        except (LogbuchError, TimeoutError) as error:
            logger.warning("the latest values of %d runs are behind: %s", len(run_ids), error)

    # -- group commit ------------------------------------------------------------------------------------------------

    def _commit(self, jobs: Sequence[Job]) -> None:
        try:
            self._commit_together(jobs)
        except SQLAlchemyError as error:
            if len(jobs) == 1 or self._seam.busy(error):
                raise self._translated(error) from error
            # Something broke the group as a whole: each job alone, so that only the guilty one fails.
            for job in jobs:
                try:
                    self._commit_together([job])
                except SQLAlchemyError as own:
                    job.error = self._translated(own)

    def _commit_together(self, jobs: Sequence[Job]) -> None:
        for attempt in range(_RETRIES):
            try:
                group = self._transact(jobs)
                break
            except SQLAlchemyError as error:
                if attempt == _RETRIES - 1 or not (self._seam.retryable(error) or self._broke_off(error)):
                    raise
        self._remember(group.names)
        if group.touched:
            self._seam.committed()
            for follower in tuple(self._followers):
                follower()
        if self._sealer is not None:
            self._sealer.note(group.logged)

    def _broke_off(self, error: SQLAlchemyError) -> bool:
        """Whether the connection broke before the commit was asked for: nothing was done, and a new one may do it."""
        lost = _broken(error) and not self._committing
        if lost:
            self._seam.writer.dispose()
        return lost

    def _remember(self, names: Mapping[str, int]) -> None:
        """Names never change, so what one transaction has looked up serves all."""
        if names:
            if len(self._names) > _KNOWN_NAMES_LIMIT:
                self._names.clear()
            self._names |= names

    def _transact(self, jobs: Sequence[Job]) -> Pending:
        group = Pending()
        self._committing = False
        with self._seam.writer.connect() as connection, self._seam.begin_write(connection):
            written = {name for job in jobs for name in _written(job)}
            due = self._growth.due(written)
            run_ids = sorted(written.union(due))
            self._seam.lock_runs(connection, run_ids)
            if len(jobs) > 1 or len(run_ids) > 2:  # one run and its journal are read one by one
                group.heads = runs.preload(Tx(connection, self._seam, self._names, group), run_ids)
            for job in jobs:
                self._attempt(job, Tx(connection, self._seam, self._names, group))
            finish = Tx(connection, self._seam, self._names, group)
            log.flush(finish, group)
            logs.flush(finish, group)
            changes.flush(finish, group)
            if due:
                backlog.merge(finish, due)
            self._committing = True
        self._growth.add(group.unmerged)
        self._growth.drop(due)
        return group

    def _attempt(self, job: Job, tx: Tx) -> None:
        job.value, job.error = None, None
        try:
            job.value = job.function(tx, *job.arguments, **job.options)
            tx.keep()
        except SQLAlchemyError as error:
            # Without a savepoint nothing can be taken back: PostgreSQL would then silently commit nothing at all.
            if self._seam.busy(error) or self._seam.retryable(error) or _broken(error) or not tx.protected:
                raise
            tx.undo()
            job.error = self._translated(error)
        except Exception as error:  # noqa: BLE001  it goes to the caller who submitted the job
            tx.undo()
            job.error = error

    def _translated(self, error: SQLAlchemyError) -> LogbuchError:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        if isinstance(error, DataError):
            return InvalidInput(f"The database cannot hold a value of the request: {reason}")
        logger.error("database error at %s: %s", self.where, reason)
        return Unavailable(f"The database did not take the request: {reason}")


def _broken(error: SQLAlchemyError) -> bool:
    """Whether an error says that its connection is good for nothing more."""
    return isinstance(error, DBAPIError) and error.connection_invalidated
