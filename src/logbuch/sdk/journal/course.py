"""How far a journal has been sent: what comes next, in batches of the native ingest protocol.

The chain behind an entry is a BLAKE2b of its segment's nonce and all bytes of the segment up to that entry. The nonce
is drawn when the segment is made, so that two copies of a journal which go on never agree again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Protocol

from logbuch import limits
from logbuch.sdk.journal.format import ENTRY, HEAD, KEY, padded
from logbuch.sdk.journal.reader import Item, Keys, items


class Part(Protocol):
    """A segment as it is read. ``first`` is the number of its first entry."""

    first: int
    nonce: bytes

    def stretches(self, begin: int) -> list[tuple[int, int]]:
        """Where whole entries stand behind each other, from a place on: begin and end of each stretch."""

    def read(self, begin: int, end: int) -> bytes: ...


@dataclass(slots=True)
class Batch:
    """What travels at once: entries ``first`` to ``last``, and the chain before and behind them."""

    first: int
    before: bytes
    items: list[Item] = field(default_factory=list)
    chains: list[bytes] = field(default_factory=list)

    @property
    def last(self) -> int:
        return self.items[-1].last

    @property
    def chain(self) -> bytes:
        return self.chains[-1]

    def entries(self) -> list[tuple[int, bytes, bytes]]:
        """For the protocol: (span, chain, record) each."""
        ends = [self.first - 1, *(item.last for item in self.items)]
        spans = [end - begin for begin, end in pairwise(ends)]
        return [(span, chain, item.raw) for span, chain, item in zip(spans, self.chains, self.items, strict=True)]


class Course:
    """``parts`` gives the segments that are held, the oldest first."""

    def __init__(self, parts: Callable[[], Sequence[Part]], number: int = 0, chain: bytes = b"") -> None:
        self.number, self.chain = number, chain
        """Up to which entry everything was acknowledged, and the chain behind it."""
        self._parts = parts
        self._pending: Batch | None = None
        self._short = False
        self._part: Part | None = None
        self._place, self._keys = HEAD.size, Keys()
        self._hash: Any = None

    def next(self) -> Batch | None:
        """The next batch, the same until it is accepted; None if everything was sent."""
        if self._pending is None:
            self._pending = self._cut()
        return self._pending

    def accept(self, batch: Batch) -> None:
        """The batch was dealt with."""
        self.number, self.chain = batch.last, batch.chain
        self._pending = None
        if self._short:
            self._short = False
            self.seek(self.number, self.chain)

    def shorten(self, batch: Batch, count: int) -> None:
        """Of the pending batch only the first records are sent at once; the others come later."""
        del batch.items[count:], batch.chains[count:]
        self._short = True

    def seek(self, number: int, chain: bytes | None) -> bool:
        """Goes on behind an entry. False if what is held does not reach there, begins only later, or has another
        chain there; then nothing has changed. A ``chain`` of None is not compared."""
        found = self._find(number)
        if found is None:
            return False
        part, place, keys, known = found
        if chain is not None and known is not None and chain != known:
            return False
        if chain is not None and known is None and (number, chain) != (self.number, self.chain):
            return False
        if chain is None:
            chain = known if known is not None else self.chain if number == self.number else b""
        self.number, self.chain = number, chain
        self._pending, self._part, self._place, self._keys = None, part, place, keys
        self._hash = _begun(part, part.read(HEAD.size, place)) if part is not None else None
        return True

    def resume(self, number: int, chain: bytes) -> None:
        """Goes on where a note says that it is, else with the oldest entry that is held. The chain of the note is
        believed before the bytes that it was made of: they may have been damaged since."""
        if self.seek(number, None):
            self.chain = chain
        else:
            self.seek((self.first_held() or 1) - 1, None)

    def first_held(self) -> int | None:
        """The number of the oldest entry that is held."""
        parts = self._parts()
        return parts[0].first if parts else None

    # ------------------------------------------------------------------------------------------------------------------

    def _cut(self) -> Batch | None:
        for part in self._parts():
            if self._part is None or part.first > self._part.first or self._replaced(part):
                self._part, self._place, self._keys = part, HEAD.size, Keys()
                self._hash = _begun(part, b"")
            elif part.first < self._part.first:
                continue
            batch = self._cut_part(part)
            if batch.items:
                return batch
        return None

    def _replaced(self, part: Part) -> bool:
        """An empty segment that could not be written to gives its number to the next one."""
        return self._part is not None and part.first == self._part.first and part.nonce != self._part.nonce

    def _cut_part(self, part: Part) -> Batch:
        batch = Batch(self.number + 1, self.chain)
        for item in self._items(part):
            if item.end != self._place:
                if len(batch.items) >= limits.INGEST_RECORDS - 500:
                    break
                self._hash.update(part.read(self._place, item.end))
                self._place = item.end
            batch.items.append(item)
            batch.chains.append(self._hash.copy().digest())
        return batch

    def _items(self, part: Part) -> Iterator[Item]:
        """From here to the end of the part. Reading on later begins again where the last item ended."""
        place = self._place
        for begin, end in part.stretches(place):
            self._keys.torn |= begin != place
            place = end
            yield from items(part.read(begin, end), begin, self._keys)

    def _find(self, number: int) -> tuple[Part | None, int, Keys, bytes | None] | None:
        """Part, place, keys and chain behind an entry; the chain is None where it cannot be known any more."""
        parts = self._parts()
        before: Part | None = None
        for part in reversed(parts):
            if part.first <= number:
                before = part
                break
        if before is None:
            if parts and parts[0].first != number + 1:
                return None
            return (parts[0] if parts else None), HEAD.size, Keys(), b"" if number == 0 else None
        keys = Keys()
        place, last = _walk(before, number, keys)
        following = next((part for part in parts if part.first == number + 1), None)
        if last != number:
            return None
        chain = _begun(before, before.read(HEAD.size, place)).digest()
        return (following, HEAD.size, Keys(), chain) if following is not None else (before, place, keys, chain)


def _walk(part: Part, number: int, keys: Keys) -> tuple[int, int]:
    """The place behind an entry of a part, and the number of the entry that ends there; the keys on the way."""
    found, last, whole = HEAD.size, part.first - 1, HEAD.size
    for begin, end in part.stretches(HEAD.size):
        keys.torn |= begin != whole
        whole = end
        data, place = part.read(begin, end), 0
        while place < len(data) and last < number:
            length, _, current = ENTRY.unpack_from(data, place)
            if current > number:
                return found, last
            body = place + ENTRY.size
            place += padded(ENTRY.size + length)
            if data[body] == KEY:
                keys.add(data[body : body + length])
            else:
                found, last = begin + place, current
    return found, last


def _begun(part: Part, data: bytes) -> Any:
    hashed = blake2b(part.nonce, digest_size=16)
    hashed.update(data)
    return hashed
