"""The small files of a journal: what in them cannot be true is not believed."""

from __future__ import annotations

import uuid

import msgspec
import pytest

from logbuch.sdk.journal.note import About, Damaged, State, opened, sealed

JOURNAL = uuid.uuid4().hex
ABOUT = About(place="http://host:5000", pid=7, begun=1_700_000_000_000, host="here")
STATE = State(store_id="s", number=900, last=1000, chain="0a" * 16, alias=uuid.uuid4().hex, offset=12, needs=["r"])


@pytest.mark.parametrize("note", [ABOUT, STATE], ids=lambda note: type(note).__name__)
def test_a_note_comes_back(note: About | State) -> None:
    raw = sealed(note, JOURNAL)
    assert opened(raw, type(note), JOURNAL) == note
    assert msgspec.json.decode(raw)["journal"] == JOURNAL


@pytest.mark.parametrize("note", [ABOUT, STATE], ids=lambda note: type(note).__name__)
def test_no_other_byte_anywhere_changes_what_is_believed(note: About | State) -> None:
    """Where the mark of the checksum itself is hit, the rest is whole."""
    raw = sealed(note, JOURNAL)
    for place in range(len(raw)):
        for flipped in (1, 2, 3, 0x20, 0xFF):
            try:
                found = opened(raw[:place] + bytes([raw[place] ^ flipped]) + raw[place + 1 :], type(note), JOURNAL)
            except Damaged:
                continue
            assert found == note


@pytest.mark.parametrize("note", [ABOUT, STATE], ids=lambda note: type(note).__name__)
def test_a_note_that_is_cut_is_not_believed(note: About | State) -> None:
    raw = sealed(note, JOURNAL)
    for end in range(len(raw)):
        for tail in (b"", bytes(len(raw) - end)):
            with pytest.raises(Damaged):
                opened(raw[:end] + tail, type(note), JOURNAL)


def test_the_note_of_another_journal_is_not_believed() -> None:
    with pytest.raises(Damaged, match="another journal's"):
        opened(sealed(STATE, uuid.uuid4().hex), State, JOURNAL)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"number": -7}',
        b'{"number": 9223372036854775808}',
        b'{"number": 99999999999999999999999999}',
        b'{"number": 3, "offset": 4}',
        b'{"number": 3, "offset": -1}',
        b'{"number": "3"}',
        b'{"number": 3.5}',
        b'{"number": true}',
        b'{"last": -1}',
        b'{"chain": "no hex"}',
        b'{"alias": "../../elsewhere"}',
        b'{"former": ["x"]}',
        b'{"former": {}}',
        b'{"complete": 1}',
        b'{"runs": ["r"]}',
        b"[]",
        b"null",
        b"\xb6",
        b"",
    ],
)
def test_a_note_without_a_checksum_is_believed_as_far_as_it_can_be_true(raw: bytes) -> None:
    with pytest.raises(Damaged):
        opened(raw, State, JOURNAL)


def test_a_note_of_an_earlier_version_is_read() -> None:
    assert opened(b'{"number": 3, "chain": "00", "unknown": 1}', State, JOURNAL) == State(number=3, chain="00")
