"""The keys of experiments, remembered where counting them is slow.

Counting the keys of 100,000 runs takes seconds, of a hundred runs no time. What was slow is counted again only after a
while that grows with what it cost; until then the keys of the runs that have changed since are added to it, so that a
new metric is offered at once, while the counts may lag behind.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from logbuch.store import changes, keys
from logbuch.store.experiments import inner_id

QUICK_SECONDS = 0.05
MANY_RUNS = 3000
SAMPLE = 200
LASTING = 20
CHANGED_RUNS = 500
REMEMBERED = 32
logger = logging.getLogger("logbuch.server")
Read = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class _Entry:
    found: keys.Keys
    cursor: int
    cost: float
    counted: float

    @property
    def fresh(self) -> bool:
        return self.cost > QUICK_SECONDS and time.monotonic() - self.counted < LASTING * self.cost


class Catalog:
    """The keys of sets of experiments. ``read`` runs a store function in a thread."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._entries: OrderedDict[tuple[str, ...], _Entry] = OrderedDict()
        self._counting = asyncio.Lock()
        self._begun: dict[tuple[str, ...], asyncio.Task[keys.Keys]] = {}

    async def of_experiments(self, experiment_ids: list[str]) -> keys.Keys:
        """The keys of the active runs of these experiments."""
        wanted = _wanted(experiment_ids)
        if not wanted:
            return keys.Keys(runs=0, metrics=[], params=[], tags=[])
        entry = self._entries.get(wanted)
        if entry is None or not entry.fresh:
            async with self._counting:  # many pages that open at once count once
                entry = self._entries.get(wanted)
                if entry is None or not entry.fresh:
                    entry = await self._count(wanted)
        changed, _ = await self._read(changes.since, entry.cursor, [inner_id(id_) for id_ in wanted])
        if not changed:
            return entry.found
        return entry.found.with_new(await self._read(keys.of_runs, changed[-CHANGED_RUNS:]))

    async def at_once(self, experiment_ids: list[str]) -> tuple[keys.Keys, bool]:
        """The same without waiting: where there are many runs and they have not been counted lately, an estimate from
        the newest ones, and True; they are then being counted."""
        wanted = _wanted(experiment_ids)
        known = self._entries.get(wanted)
        if known is not None and known.fresh:
            return await self.of_experiments(experiment_ids), False
        runs = await self._read(keys.count_runs, wanted)
        if runs <= MANY_RUNS:
            return await self.of_experiments(experiment_ids), False
        if wanted not in self._begun:
            task = asyncio.get_running_loop().create_task(self.of_experiments(list(wanted)))
            self._begun[wanted] = task
            task.add_done_callback(lambda done: self._ended(wanted, done))
        if known is not None:
            return known.found, True
        return await self._read(keys.estimate, wanted, runs, SAMPLE), True

    def _ended(self, wanted: tuple[str, ...], task: asyncio.Task[keys.Keys]) -> None:
        self._begun.pop(wanted, None)
        if not task.cancelled() and task.exception() is not None:
            logger.warning(
                "the keys of the experiments %s could not be counted: %s", ", ".join(wanted), task.exception()
            )

    async def _count(self, wanted: tuple[str, ...]) -> _Entry:
        cursor = await self._read(changes.cursor)
        begun = time.monotonic()
        found = await self._read(keys.of_experiments, wanted)
        now = time.monotonic()
        self._entries[wanted] = entry = _Entry(found, cursor, now - begun, now)
        self._entries.move_to_end(wanted)
        while len(self._entries) > REMEMBERED:
            self._entries.popitem(last=False)
        return entry


def _wanted(experiment_ids: list[str]) -> tuple[str, ...]:
    return tuple(sorted(set(experiment_ids)))
