"""Reading series: blocks and arrival log of a run, fetched in one snapshot, decoded outside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from logbuch.store import schema
from logbuch.store.metrics.points import Series, split_arrivals, unpack_block
from logbuch.store.tx import Tx, chunks


@dataclass(frozen=True, slots=True)
class Packed:
    """The packed points of some keys of one run, as one snapshot showed them."""

    keys: frozenset[int]
    blocks: Mapping[int, Sequence[bytes]]
    arrivals: Sequence[bytes]

    def decode(self) -> dict[int, Series]:
        """Each key's points by (step, timestamp, value), without duplicates; keys without points are left out."""
        late = split_arrivals(self.arrivals, self.keys)
        found = {}
        for key in self.keys:
            parts = [unpack_block(blob) for blob in self.blocks.get(key, ())]
            if key in late:
                parts.append(late[key])
            if parts:
                found[key] = Series.concat(parts).ordered()
        return found


def fetch(tx: Tx, run: int, keys: Sequence[int]) -> Packed:
    """The packed points of these keys. Cheap: nothing is decoded while the snapshot is held."""
    table = schema.blocks
    blocks: dict[int, list[bytes]] = {}
    for part in chunks(keys):
        query = (
            select(table.c.key, table.c.data)
            .where(table.c.run == run, table.c.key.in_(part))
            .order_by(table.c.key, table.c.first_step)
        )
        for key, data in tx.execute(query):
            blocks.setdefault(key, []).append(data)
    log = select(schema.arrivals.c.data).where(schema.arrivals.c.run == run).order_by(schema.arrivals.c.id)
    return Packed(frozenset(keys), blocks, list(tx.execute(log).scalars()))
