"""Many points of one run at once, from a move and not from a training: written as blocks, without the way by the log.

The log serves small commits; points by the ten thousand would be written there, read, and written again.
"""

from __future__ import annotations

from collections.abc import Sequence

from logbuch.errors import Unavailable
from logbuch.store.heads import RunRow
from logbuch.store.metrics import blocks, latest, log
from logbuch.store.metrics.arriving import Arrived
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.metrics.points import Series
from logbuch.store.tx import Tx

LEAST_POINTS = 512
"""Fewer are read as quickly from the log."""


def append(tx: Tx, head: RunRow, parts: Sequence[Incoming], *, new: bool = False) -> None:
    """Adds points to a run; they are in blocks when the transaction ends. Known ones change nothing.

    A ``new`` run was made in this transaction: nobody else knows it, and it has no blocks.
    """
    if sum(map(len, parts)) < LEAST_POINTS:
        for part in parts:
            log.append(tx, head, part)
        return
    arrived = Arrived.of([log.arrival(tx, head, part) for part in parts if len(part)])
    if new:
        changed = [blocks.Rewrite(key, (), series, even=False) for key, series in _series(arrived).items()]
    else:
        tx.seam.lock_run(tx.connection, head.id)
        changed = blocks.rewrites(tx, head.id, _series(arrived))
    if not blocks.replace(tx, blocks.pack(head.id, changed)):
        raise Unavailable(f"The points of run {head.run_id} are being packed by another process.")
    latest.update(tx, [arrived], {head.id: head.experiment})
    tx.touch(head.id, head.experiment)


def _series(arrived: Arrived) -> dict[int, Series]:
    """The points of each key, in order."""
    order, starts, keys = latest.by_key(arrived)
    points = arrived.points[order]
    ends = [*starts[1:], len(order)]
    return {key: points[start:end].ordered() for key, start, end in zip(keys, starts, ends, strict=True)}
