"""A client's journal that is sent straight into a store."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from logbuch.store import Store, journals
from logbuch.store.journals import Receipt
from logbuch.wire import ingest, intake


@dataclass
class Journal:
    """A client's journal, kept whole: any stretch of it can be sent, in any cut."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    records: list[bytes] = field(default_factory=list)
    chains: list[bytes] = field(default_factory=lambda: [b""])

    def add(self, *records: Any) -> Journal:
        for record in records:
            raw = record if isinstance(record, bytes) else ingest.encode_record(record)
            self.records.append(raw)
            self.chains.append(ingest.link(self.chains[-1], raw))
        return self

    def copy(self) -> Journal:
        return Journal(self.id, list(self.records), list(self.chains))

    def batch(self, first: int = 1, last: int | None = None) -> intake.Batch:
        numbers = range(first, (last or len(self.records)) + 1)
        entries = [(1, self.chains[number], self.records[number - 1]) for number in numbers]
        return intake.decode(ingest.encode_batch(self.id, first, self.chains[first - 1], entries))

    def send(self, store: Store, first: int = 1, last: int | None = None) -> Receipt:
        return store.write(journals.ingest, self.batch(first, last))
