"""One prediction at a time, the requests behind it in a bounded queue, and those that fit together as one.

A model is used by one thread: few are safe in several, and the libraries beneath use all cores by themselves.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from logbuch.errors import BadRequest, LogbuchError, Unavailable
from logbuch.serving import merging
from logbuch.serving.metrics import Metrics
from logbuch.serving.model import Served
from logbuch.serving.requests import Asked

logger = logging.getLogger("logbuch.serving")

THREAD = "logbuch-model"
"""How the name of the model's thread begins."""


class Full(Unavailable):
    """The queue has no place; the client may come again after ``seconds``."""

    seconds = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """``window`` is how long in seconds a prediction waits for others to join it, ``rows`` how many rows it has at
    most, ``queue`` how many requests may wait."""

    window: float = 0.002
    rows: int = 1024
    queue: int = 256


@dataclass(slots=True, eq=False)
class _Waiting:
    asked: Asked
    key: Hashable | None
    answer: asyncio.Future[Any]


class Batcher:
    """Predicts for all requests of one process; see the module."""

    def __init__(self, served: Served, limits: Limits, metrics: Metrics) -> None:
        self._served = served
        self._limits = limits
        self._metrics = metrics
        self._waiting: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, THREAD)
        self._worker: asyncio.Task[None] | None = None

    async def predict(self, asked: Asked) -> Any:
        """The model's answer. Full when too many wait already, BadRequest when the model could not predict."""
        if len(self._waiting) >= self._limits.queue:
            self._metrics.refused.inc()
            raise Full(f"{len(self._waiting)} requests wait already. Try again later.")
        key = merging.key(asked) if self._served.shares else None
        waiting = _Waiting(asked, key, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._metrics.waiting.inc()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        try:
            return await waiting.answer
        except asyncio.CancelledError:
            self._forget(waiting)
            raise

    def close(self) -> None:
        """Ends the model's thread when its prediction is done."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _forget(self, waiting: _Waiting) -> None:
        """Gives its place in the queue to others, if it still has one."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)
            self._metrics.waiting.dec()

    async def _work(self) -> None:
        while self._waiting:
            if self._waiting[0].key is not None and self._limits.window:
                await asyncio.sleep(self._limits.window)
            batch = self._next()
            if batch:
                await self._answer(batch)

    def _next(self) -> list[_Waiting]:
        """The first request that somebody still waits for, and those behind it that fit to it."""
        batch: list[_Waiting] = []
        others: deque[_Waiting] = deque()
        total = 0
        while self._waiting:
            one = self._waiting.popleft()
            size = merging.rows(one.asked)
            if one.answer.done():
                self._metrics.waiting.dec()
            elif not batch or (one.key is not None and one.key == batch[0].key and total + size <= self._limits.rows):
                batch.append(one)
                total += size
            else:
                others.append(one)
        self._waiting = others
        self._metrics.waiting.dec(len(batch))
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        outcomes = await loop.run_in_executor(self._thread, self._outcomes, [one.asked for one in batch])
        for one, outcome in zip(batch, outcomes, strict=True):
            if one.answer.done():
                continue
            if isinstance(outcome, BaseException):
                one.answer.set_exception(outcome)
            else:
                one.answer.set_result(outcome)

    def _outcomes(self, requests: list[Asked]) -> list[Any]:
        """What each request gets: predictions or an error. What fails together is tried alone."""
        if len(requests) > 1:
            parts = self._together(requests)
            if parts is not None:
                return parts
        return [self._alone(asked) for asked in requests]

    def _together(self, requests: list[Asked]) -> list[Any] | None:
        try:
            with self._metrics.prediction(sum(map(merging.rows, requests))):
                predictions = self._served.loaded.predict(merging.together(requests), _params(requests[0]))
            return merging.apart(predictions, requests)
        except BaseException as error:  # noqa: BLE001  the fault of one request; each is tried alone
            logger.info("A shared prediction failed: %r", error)
            return None

    def _alone(self, asked: Asked) -> Any:
        try:
            with self._metrics.prediction(merging.rows(asked)):
                return self._served.loaded.predict(asked.data, _params(asked))
        except LogbuchError as error:
            return error
        except MemoryError:
            return Unavailable("The model had not enough memory for this request.")
        except BaseException:  # also SystemExit: what a model calls must not end the server
            logger.warning("The model failed.", exc_info=True)
            return BadRequest("The model failed on this input; the server's log says how. Does it fit the model?")


def _params(asked: Asked) -> dict[str, Any] | None:
    return asked.params or None
