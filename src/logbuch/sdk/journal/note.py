"""The small files of a journal: whose it is, and how far it was sent. Each bears its journal's ID and a checksum.

A note is one JSON object. Its last fields are ``journal`` and ``check``, the crc32 (hexadecimal) of all bytes before
the comma of ``check``. One without them, of an earlier version, is believed as far as its values can be true.
"""

from __future__ import annotations

import platform
from typing import TypeVar
from zlib import crc32

import msgspec

_CHECK = b',"check":"'
_HIGHEST = 2**63 - 1
T = TypeVar("T", bound="Note")


class Damaged(Exception):
    """What stands in a note cannot be believed."""


class Note(msgspec.Struct, kw_only=True):
    """Base of both."""

    def possible(self) -> bool:
        """Whether its values can be true."""
        return True


class _Owner(msgspec.Struct):
    journal: str = ""


class About(Note, kw_only=True):
    """Whose journal it is. ``place`` is the server's address, or ``sqlite:NAME`` for a file beside the root."""

    version: int = 1
    place: str
    pid: int
    begun: int
    host: str = ""

    @property
    def here(self) -> bool:
        """Whether its process ran on this machine, so that a lock that can be taken says that it is gone."""
        return self.host == platform.node() != ""


class State(Note, kw_only=True):
    """Up to which entry a store has acknowledged, with the chain there.

    Under ``alias`` the server knows the journal if its own ID had to be given up; numbers there are less by ``offset``.
    ``former`` are aliases that were given up in turn: under each of its IDs the process may hold runs.
    ``complete`` says that nothing was left to be sent when the journal was last closed. ``runs`` tells which ID a
    server that gives its own has given to a run; ``needs`` names runs that another journal makes. ``last`` is the last
    entry that was on the disk when this was written, 0 where that is not known.
    """

    store_id: str = ""
    number: int = 0
    last: int = 0
    chain: str = ""
    alias: str = ""
    former: list[str] = []
    offset: int = 0
    complete: bool = False
    needs: list[str] = []
    runs: dict[str, str] = {}

    def names(self, journal: str) -> list[str]:
        """All IDs by which a server may know this journal, the one of today last."""
        return [journal, *self.former, *([self.alias] if self.alias else [])]

    def rename(self, alias: str, offset: int) -> None:
        """From now on it goes by another ID, with other numbers."""
        if self.alias:
            self.former.append(self.alias)
        self.alias, self.offset = alias, offset

    def possible(self) -> bool:
        ids = [*self.former, *([self.alias] if self.alias else [])]
        numbers = 0 <= self.offset <= self.number <= _HIGHEST and 0 <= self.last <= _HIGHEST
        return numbers and _is_hex(self.chain) and all(map(_is_id, ids))


def sealed(note: Note, journal: str) -> bytes:
    """A note as it is written for a journal."""
    body = msgspec.json.encode(note)[:-1] + b',"journal":' + msgspec.json.encode(journal)
    return body + _CHECK + b'%08x"}' % crc32(body)


def opened(raw: bytes, kind: type[T], journal: str) -> T:
    """The note of a journal; Damaged, with the reason, for one that is not to be believed."""
    body, mark, rest = raw.rpartition(_CHECK)
    if mark and rest != b'%08x"}' % crc32(body):
        raise Damaged("its checksum is another one")
    try:
        note, owner = msgspec.json.decode(raw, type=kind), msgspec.json.decode(raw, type=_Owner).journal
    except (ValueError, msgspec.MsgspecError) as error:  # ValueError: no UTF-8
        raise Damaged("it cannot be read") from error
    if owner not in ("", journal):
        raise Damaged("it is another journal's")
    if not note.possible():
        raise Damaged("it says what cannot be")
    return note


def _is_hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return True


def _is_id(text: str) -> bool:
    return len(text) == 32 and _is_hex(text)
