"""What a request handler gets: the store, the files, and a way to call them without holding up the loop."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from logbuch.files import keys
from logbuch.files.roots import Files
from logbuch.server.alarms import Alarms
from logbuch.server.catalog import Catalog
from logbuch.server.delivery.courier import Courier
from logbuch.server.digests import Digests
from logbuch.server.examiner import Examiner
from logbuch.server.live import Hub
from logbuch.server.owners import Owners
from logbuch.server.watch import Watch
from logbuch.store import Store, artifacts, experiments
from logbuch.store.tx import Tx
from logbuch.store.writer import LoopWaiter
from logbuch.web.options import Listening

logger = logging.getLogger("logbuch.server")
KNOWN_LOCATIONS = 100_000
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Options(Listening):
    """How a tracking server was started."""

    page: Path = Path(__file__).parent / "page"


def _answer(waiter: LoopWaiter, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Calls a function in a thread and tells the loop, by one future: the loop's own way takes two."""
    try:
        value = function(*args)
    except BaseException as error:  # noqa: BLE001  whoever waits gets it
        waiter.loop.call_soon_threadsafe(waiter.settle, None, error)
    else:
        waiter.loop.call_soon_threadsafe(waiter.settle, value, None)


@dataclass(slots=True)
class Context:
    """One server's parts, handed to every handler."""

    store: Store
    files: Files
    options: Options
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(12, "logbuch-read"))
    files_threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16, "logbuch-files"))
    locations: dict[str, str] = field(default_factory=dict)
    hub: Hub = field(init=False)
    catalog: Catalog = field(init=False)
    watch: Watch = field(init=False)
    examiner: Examiner = field(init=False)
    alarms: Alarms = field(init=False)
    courier: Courier = field(init=False)
    digests: Digests = field(init=False)
    owners: Owners = field(init=False)

    def __post_init__(self) -> None:
        self.hub = Hub(self.store)
        self.catalog = Catalog(self.read)
        self.watch = Watch(self.store)
        self.examiner = Examiner(self.store)
        self.alarms = Alarms(self.store)
        self.courier = Courier(self.store)
        self.owners = Owners(self.store)
        self.digests = Digests(lambda *files: self.write_later(artifacts.record, *files))

    async def read(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs a reading store function in a thread."""
        return await self.call(self.store.read, function, *args, **kwargs)

    def write(self, function: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[R]:
        """Runs a writing store function in the next group commit; the future is done when it is durable."""
        return self.store.write_soon(function, *args, **kwargs)

    async def call(self, function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        """Runs any blocking function in a thread."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, lambda: context.run(function, *args, **kwargs))

    async def files_call(self, function: Callable[..., R], *args: Any) -> R:
        """Runs what waits for files in a thread of its own kind: a slow disk or bucket holds up no other request."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self.files_threads.submit(_answer, LoopWaiter(loop, future), function, args)
        return await future

    def write_later(self, function: Callable[Concatenate[Tx, P], Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Like :meth:`write` for what nobody waits for; a failure is logged."""

        def done(future: asyncio.Future[Any]) -> None:
            if not future.cancelled() and future.exception() is not None:
                logger.warning("%s was not written: %s", function.__name__, future.exception())

        self.store.write_soon(function, *args, **kwargs).add_done_callback(done)

    async def location(self, experiment_id: str) -> str:
        """The folder of an experiment's artifacts, as keys begin with it. It never changes, so it is looked up once."""
        found = self.locations.get(experiment_id)
        if found is None:
            found = keys.join(await self.read(experiments.location, experiment_id))
            if len(self.locations) >= KNOWN_LOCATIONS:
                self.locations.clear()
            self.locations[experiment_id] = found
        return found

    def close(self) -> None:
        self.watch.close()
        self.examiner.close()
        self.alarms.close()
        self.courier.close()
        self.threads.shutdown(cancel_futures=True)
        self.files_threads.shutdown(cancel_futures=True)
        self.files.close()
        if waiting := self.digests.take():
            self.store.write(artifacts.record, *waiting)
        self.store.close()
